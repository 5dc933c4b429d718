# SPDX-License-Identifier: GPL-2.0-or-later
# A person at a terminal: terminal.py ANSWER... -- PROGRAM ARG... gives each question, which ends in
# "): " or "Number: ", the next answer; ^C is the key. The terminal has $WIDTH columns, or 80. Prints what the terminal shows, and how the program ended.
import fcntl, os, pty, select, struct, sys, termios

at = sys.argv.index('--')
answers, program = sys.argv[1:at], sys.argv[at + 1:]
pid, terminal = pty.fork()
if pid == 0:
    size = struct.pack('4H', 50, int(os.environ.get('WIDTH', 80)), 0, 0)
    fcntl.ioctl(1, termios.TIOCSWINSZ, size)
    os.execvp(program[0], program)
shown = asked = b''
try:
    while select.select([terminal], [], [], 20)[0]:
        shown += (more := os.read(terminal, 4096))
        if not more:
            break
        asked += more
        if asked.endswith((b'): ', b'Number: ')) and answers:
            answer = answers.pop(0)
            os.write(terminal, b'\x03' if answer == '^C' else answer.encode() + b'\n')
            asked = b''
    else:
        shown += b'(no end)'
        os.kill(pid, 9)
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(shown.decode(errors='replace').replace('\r', ''))
print(f'status {status}' if status >= 0 else f'signal {-status}')
