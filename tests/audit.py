"""`make audit`: looks for known holes in what production installs, by PyPI's list of advisories."""

import json
import subprocess
import sys

from tests.processes import BIN, ROOT

COMMAND = [BIN / "pip-audit", "--requirement", "requirements.txt", "--disable-pip", "--format", "json"]


def main() -> str | None:
    """Print each hole that is known; returns what to exit with, None if there is nothing to mend.

    Where the list cannot be reached, nothing is wrong, and it says so.
    """
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"Skipped: pip-audit got no answer. {done.stderr.strip()[-300:]}")
        return None
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    if len(unknown) == len(packages):
        print("Skipped: this machine does not reach PyPI’s list of advisories.")
        return None
    holes = [(each, hole) for each in packages for hole in each.get("vulns", [])]
    for each, hole in holes:
        print(f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none'}")
    if unknown:
        print(f"Not looked at, as PyPI does not know them: {', '.join(unknown)}")
    print(f"Packages looked at: {len(packages) - len(unknown)}. Known holes: {len(holes)}.")
    return "Renew them: make lock ARGS=--upgrade" if holes else None


if __name__ == "__main__":
    sys.exit(main())
