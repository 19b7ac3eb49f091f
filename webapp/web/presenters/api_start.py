"""The first minute with the API: two scripts that export one's posts, which a test runs as the page shows them."""

from typing import Final

# Nothing but curl and Python's standard library: who only has a shell can paste the one, and who has Python the other.
SHELL: Final = """\
API={server}/api/v1
ask() { curl -sS -H "Authorization: Bearer $TOKEN" "$@"; }
pick() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }

# Start a task
TASK=$(ask "$API/tasks" -H "Content-Type: application/json" \\
  -d '{"kind": "export_posts", "arguments": {"format": "json"}}' | pick "['id']")

# Wait until it is done
done_yet() { ask -H "Prefer: wait=20" "$API/tasks/$TASK" | pick "['done']"; }
while [ "$(done_yet)" = False ]; do sleep 1; done

# Download what it made
FILE=$(ask "$API/tasks/$TASK/artifacts" | pick "['items'][0]['id']")
ask "$API/artifacts/$FILE/content" -o export.json
"""
PYTHON: Final = """\
import json, time
from os import environ
from urllib.request import Request, urlopen

API = "{server}/api/v1"


def ask(method, path, body=None, **headers):
    headers["Authorization"] = "Bearer " + environ["TOKEN"]
    headers["Content-Type"] = "application/json"
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(API + path, data, headers, method=method)) as answer:
        return answer.read()


# Start a task
order = {"kind": "export_posts", "arguments": {"format": "json"}}
task = json.loads(ask("POST", "/tasks", order))

# Wait until it is done
while not task["done"]:
    time.sleep(1)
    task = json.loads(ask("GET", "/tasks/" + task["id"], Prefer="wait=20"))

# Download what it made
made = json.loads(ask("GET", f"/tasks/{task['id']}/artifacts"))["items"]
with open("export.json", "wb") as file:
    file.write(ask("GET", f"/artifacts/{made[0]['id']}/content"))
"""


def shell_script(server: str) -> str:
    """For a shell, with the token in the variable TOKEN, which is exported."""
    return SHELL.replace("{server}", server)


def python_script(server: str) -> str:
    """The same for Python 3.9 or newer."""
    return PYTHON.replace("{server}", server)
