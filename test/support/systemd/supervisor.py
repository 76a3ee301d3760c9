"""What systemd does for one service, for machines without it: passes listening sockets, receives notifications,
reads standard output as the journal does, and starts the service again on request.

argv: JSON {listen: [[type, host, name] ...], command, env}. Standard input: start, or a signal such as TERM, a line.
Standard output, JSON a line: {addresses}, {started}, {notified: {...}}, {line}, {ended}.
"""
import array, json, os, signal, socket, sys, tempfile, threading

plan = json.loads(sys.argv[1])
lock = threading.Lock()
folder = tempfile.mkdtemp()
pid = 0


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def opened(kind, host):
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, getattr(socket, kind))
    one.bind((host, 0))
    if kind == "SOCK_STREAM":
        one.listen(4096)
    return one


sockets = [opened(kind, host) for kind, host, _ in plan["listen"]]
notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notified.bind(folder + "/notify")
reading, writing = os.pipe()


def receive():
    while True:
        data, ancillary, *_ = notified.recvmsg(65536, socket.CMSG_SPACE(4 * 16))
        for _, _, fds in ancillary:
            for fd in array.array("i", fds):
                os.close(fd)  # which tells systemd-notify that its message was read
        text = data.decode()
        if not text.startswith("BARRIER="):
            say(notified=dict(line.split("=", 1) for line in text.splitlines()))


def read_output():
    with os.fdopen(reading) as lines:
        for line in lines:
            say(line=line.rstrip("\n"))


def start():
    global pid
    pid = os.fork()
    if pid == 0:
        for index, one in enumerate(sockets):
            os.dup2(one.fileno(), 100 + index)
        for index in range(len(sockets)):
            os.dup2(100 + index, 3 + index)
            os.set_inheritable(3 + index, True)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(writing, 1)
        stat = os.fstat(1)
        env = {"NOTIFY_SOCKET": folder + "/notify", "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}", **plan["env"]}
        if sockets:
            env["LISTEN_PID"] = str(os.getpid())
            env["LISTEN_FDS"] = str(len(sockets))
            env["LISTEN_FDNAMES"] = ":".join(name for *_, name in plan["listen"])
        os.closerange(3 + len(sockets), 200)
        os.execve(plan["command"][0], plan["command"], env)
    say(started=pid)
    threading.Thread(target=lambda one=pid: say(ended=os.waitstatus_to_exitcode(os.waitpid(one, 0)[1])), daemon=True).start()


say(addresses=[list(one.getsockname()[:2]) for one in sockets])
for work in (receive, read_output):
    threading.Thread(target=work, daemon=True).start()
for line in sys.stdin:
    word = line.strip()
    if word == "start":
        start()
    else:
        os.kill(pid, getattr(signal, "SIG" + word))
