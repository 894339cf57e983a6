"""What only a process of its own shows: quick help without torch, and a signal that ends a training."""

import signal
import subprocess
import sys
import time

HELP = """
import sys
from pushforward.cli import COMMANDS, main
for words in ([], ["--help"], *([name, "--help"] for name in COMMANDS), ["tran"], ["sample", "--cuont", "3", "x"]):
    main(words)
print([name for name in ("torch", "numpy", "sklearn", "matplotlib", "pydantic") if name in sys.modules])
"""


def test_help_and_complaints_need_no_torch():
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith("\n[]\n"), done.stderr


def test_who_stops_reading_the_output_is_no_fault():
    reader = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.2)"], stdin=subprocess.PIPE)
    words = [sys.executable, "-m", "pushforward", "systems", "classification_vae"]
    writer = subprocess.Popen(words, stdout=reader.stdin, stderr=subprocess.PIPE, text=True)
    reader.stdin.close()
    _, said = writer.communicate()
    reader.wait()
    assert writer.returncode == 141 and said == ""


def test_help_is_quick():
    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pushforward", "train", "--help"], check=True, capture_output=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 1.5  # 0.25 s on an idle machine


def test_an_interrupted_training_is_saved_and_goes_on(tmp_path):
    words = ["train", "vae", "--data", "digits", "--images", "100000000", "--net", "mlp", "--width", "16", "--run", "run"]
    command = [sys.executable, "-m", "pushforward"]
    training = subprocess.Popen([*command, *words], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("run/checkpoints/*/manifest.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        training.send_signal(signal.SIGINT)
        _, err = training.communicate(timeout=60)
    finally:
        training.kill()
    assert training.returncode == 130
    assert err.strip().endswith("Stopped and saved. Go on with `pushforward resume run`.") and "Traceback" not in err
