"""Gather a folder from which Ecotone is installed without a network.

    python tools/wheels.py [--system windows-amd64] [--python 3.12] [-o wheels]

Holds Ecotone's own wheel, the wheels of the lock for that system, each checked by its hash, and a
page that says what to type.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from pathlib import Path

from locks import LOCKS, PYTHONS, ROOT, SYSTEMS

HERE = {"Linux": "linux-x86_64", "Windows": "windows-amd64", "Darwin": "macos-arm64"}
TELLS = """\
Ecotone without a network: Python {python} on {system}

1. Install Python {python} (64 bit) from your own medium.
2. In this folder:

    python -m venv ecotone
    ecotone{scripts}python -m pip install --no-index --find-links . "ecotone[serve]"
    ecotone{scripts}ecotone demo

没有网络时安装 Ecotone：先安装 Python {python}（64 位），再在本文件夹中依次执行上面三条命令。

Установка Ecotone без сети: установите Python {python} (64 бит), затем выполните в этой папке
три команды, что стоят выше.
"""


def main() -> None:
    """Gather the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", choices=SYSTEMS, default=HERE.get(platform.system()))
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    parser.add_argument("--python", choices=PYTHONS, default=here)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "wheels")
    asked = parser.parse_args()
    out = asked.out / f"ecotone-{asked.system}-{asked.python}"
    out.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(out), str(ROOT)], check=True)
    # Letting pip judge markers would judge them by this machine: the lock is complete as it is.
    plain = asked.python.replace(".", "")
    marks = [part for name in SYSTEMS[asked.system][1] for part in ("--platform", name)]
    subprocess.run(
        [
            *pip, "download", "--no-deps", "--only-binary", ":all:", "--require-hashes",
            "--implementation", "cp", "--python-version", asked.python,
            "--abi", f"cp{plain}", "--abi", "abi3", "--abi", "none", *marks,
            "-d", str(out), "-r", str(LOCKS / f"{asked.system}-{asked.python}.txt"),
        ],
        check=True,
    )  # fmt: skip
    scripts = "\\Scripts\\" if asked.system.startswith("windows") else "/bin/"
    text = TELLS.format(python=asked.python, system=asked.system, scripts=scripts)
    (out / "INSTALL.txt").write_text(text, encoding="utf-8-sig", newline="\r\n")
    sys.stdout.write(f"{out}: {len(list(out.glob('*.whl')))} wheels\n")


if __name__ == "__main__":
    main()
