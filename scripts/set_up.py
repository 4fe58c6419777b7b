"""Make the project's virtual environment, or do nothing where it is there and current.

Run by make with whatever Python the machine has, so this file keeps to syntax that an old one can read, and says in
one line what is missing. Standard library only.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "rewarm-set-up")
OLDEST = (3, 11)


def stop(message):
    sys.stderr.write("set-up: " + message + "\n")
    sys.exit(1)


def check_python():
    if os.path.realpath(sys.prefix) == os.path.realpath(VENV):
        stop("run by the environment that it would replace. Run it with the system's Python, as make does")
    found = "%d.%d" % sys.version_info[:2]
    if sys.version_info < OLDEST:
        stop(
            "expected Python 3.11 or newer; found %s (%s). " % (found, sys.executable)
            + "Install package python3.11 or newer, then: make PYTHON=python3.11"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop("this Python cannot make virtual environments. Install package python%s-venv, then repeat" % found)


def venv_python():
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(VENV, folder, name)


def fingerprint():
    digest = hashlib.sha256()
    digest.update(("%s %s" % (sys.version, ROOT)).encode("utf-8"))
    for name in ("constraints.txt", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def is_current(wanted):
    if not (os.path.exists(STAMP) and os.path.exists(venv_python())):
        return False
    with open(STAMP) as file:
        return file.read() == wanted


def pip(*arguments):
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    command = [venv_python(), "-m", "pip", "install"] + quiet + list(arguments)
    result = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    if result.returncode:
        lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
        last = next((line for line in reversed(lines) if "ERROR" in line), lines[-1] if lines else "no message")
        network = ("NewConnectionError", "Temporary failure", "ConnectTimeout", "Could not fetch", "Max retries")
        if any(word in result.stdout for word in network):
            stop(
                "no connection to the package index, which is needed once. "
                "Connect, or set PIP_NO_INDEX=1 and PIP_FIND_LINKS to a folder of the packages, then repeat"
            )
        stop("installing the pinned packages failed: " + last)


def main():
    check_python()
    wanted = fingerprint()
    if is_current(wanted):
        return
    print("set-up: making .venv with the pinned packages (once, one to three minutes)")
    sys.stdout.flush()
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            "making the virtual environment failed. Install package python%d.%d-venv (Debian, Ubuntu), then repeat"
            % sys.version_info[:2]
        )
    pip("--require-hashes", "--prefer-binary", "--retries", "2", "--requirement", "constraints.txt")
    pip("--no-deps", "--no-build-isolation", "--no-index", "--editable", ".")
    with open(STAMP, "w") as file:
        file.write(wanted)


if __name__ == "__main__":
    main()
