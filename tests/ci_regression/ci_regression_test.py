"""scripts/ci_regression from the first baseline to a planted slowdown."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIGITS = ROOT / 'models/digits/digits.onnx'


class CiRegression(unittest.TestCase):

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.summary('run.json')

    def enterContext(self, context):  # of Python 3.11; older ones lack it
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def summary(self, name, *flags):
        """What the network does with all of its layers on the DLA, in the DLA's formats: times are modelled."""
        subprocess.run([os.environ['DLAEXEC_PROGRAM'], f'--onnx={DIGITS}', '--useDLACore=0', '--fp16', '--allowGPUFallback',
                        '--device=cpu', '--dlaTimingOnly', '--iterations=40', '--duration=0', '--warmUp=0',
                        f'--exportSummary={self.folder / name}', *flags], check=True, capture_output=True)

    def script(self, command, *arguments, **environment):
        clean = {key: value for key, value in os.environ.items() if not key.startswith(('GITHUB_', 'CI_'))}
        return subprocess.run([sys.executable, ROOT / 'scripts/ci_regression', command, '--branch=main', *arguments],
                              cwd=self.folder, env={**clean, **environment}, capture_output=True, text=True)

    def compare(self, *arguments, **environment):
        return self.script('compare', f'--dlaexec={os.environ["DLAEXEC_PROGRAM"]}', *arguments, **environment)

    def baseline(self):
        files = list((self.folder / 'baselines').rglob('*.json'))
        self.assertEqual(len(files), 1)
        return files[0]

    def slow_down(self):
        """Makes the baseline a run on a DLA that was ten times as fast."""
        summary = json.loads(self.baseline().read_text())
        for loadable in summary['loadables']:
            loadable['time_ms'] /= 10
            for operation in loadable['operations']:
                operation['time_ms'] /= 10
        for figure in ('latency_ms', 'compute_ms', 'period_ms'):
            entry = summary['figures'][figure]
            entry['samples'] = [sample / 10 for sample in entry['samples']]
            entry['median'] /= 10
        for step in summary['steps']:
            step['time_ms']['median'] /= 10
        self.baseline().write_text(json.dumps(summary))

    def test_keeps_baselines_per_branch_and_machine_as_they_are(self):
        self.assertEqual(self.script('update', 'run.json').returncode, 0)
        place = self.baseline().relative_to(self.folder / 'baselines')
        self.assertEqual(place.parts[0], 'main')
        self.assertIn('agx-orin-64', place.parts[1])
        self.assertEqual(place.name, 'run.json')
        self.assertEqual(self.baseline().read_bytes(), (self.folder / 'run.json').read_bytes())

    def test_branches_with_slashes_stay_one_folder(self):
        self.script('update', '--branch=feature/x', 'run.json')
        self.assertEqual(self.baseline().relative_to(self.folder / 'baselines').parts[0], 'feature%2Fx')

    def test_a_run_without_a_baseline_passes_or_fails_as_asked(self):
        missing = self.compare('run.json')
        self.assertEqual(missing.returncode, 0)
        self.assertIn('has no baseline', missing.stdout)
        self.assertEqual(self.compare('--missing=fail', 'run.json').returncode, 3)

    def test_the_same_run_passes_and_leaves_reports(self):
        self.script('update', 'run.json')
        same = self.compare('run.json')
        self.assertEqual(same.returncode, 0, same.stdout + same.stderr)
        names = {path.name for path in (self.folder / 'report/run').iterdir()}
        self.assertEqual(names, {'comparison.json', 'junit.xml', 'comparison.md', 'annotations.txt'})

    def test_a_slowdown_ends_with_3_and_is_told_everywhere(self):
        self.script('update', 'run.json')
        self.slow_down()
        job_summary = self.folder / 'job.md'
        slow = self.compare('run.json', GITHUB_ACTIONS='true', GITHUB_STEP_SUMMARY=str(job_summary))
        self.assertEqual(slow.returncode, 3, slow.stdout + slow.stderr)
        self.assertIn('::error title=dlaexec gate regression.latency::', slow.stdout)
        self.assertIn('| regression.latency | failed |', job_summary.read_text())
        suite = xml.etree.ElementTree.parse(self.folder / 'report/run/junit.xml').getroot()
        self.assertEqual(suite.get('failures'), '1')
        comparison = json.loads((self.folder / 'report/run/comparison.json').read_text())
        self.assertEqual(comparison['figures'][0]['verdict'], 'slower')

    def test_flags_reach_the_program(self):
        self.script('update', 'run.json')
        self.slow_down()
        self.assertEqual(self.compare('--max-regression=100000%', 'run.json').returncode, 0)

    def test_report_lists_the_baselines(self):
        self.script('update', 'run.json')
        report = self.script('report')
        self.assertEqual(report.returncode, 0)
        self.assertIn('## Baselines of main', report.stdout)
        rows = [line for line in report.stdout.splitlines() if line.startswith('|')]
        self.assertEqual(len(rows), 3)
        self.assertEqual({row.count('|') for row in rows}, {9})
        self.assertIn('| run |', rows[2])

    def test_what_is_no_summary_is_refused(self):
        (self.folder / 'other.json').write_text('{}')
        refused = self.script('update', 'other.json')
        self.assertEqual(refused.returncode, 2)
        self.assertIn('is no summary of a run', refused.stderr)


if __name__ == '__main__':
    unittest.main()
