// The dlaexec command.
int main() { return 0; }
