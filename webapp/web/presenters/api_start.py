"""The first minute with the API: two scripts that count the words of a file; a test runs them as the page has them."""

from typing import Final

# Nothing but curl and Python's standard library: who only has a shell can paste the one, and who has Python the other.
# The one has no comments: zsh, into which it is pasted on a Mac, takes each for a command.
SHELL: Final = """\
API={server}/api/v1
ask() { curl -sS -H "Authorization: Bearer $TOKEN" "$@"; }
pick() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }

printf 'to be or not to be\\n' > hamlet.txt
TASK=$(ask "$API/tasks" -F kind=count_words -F file=@hamlet.txt | pick "['id']")

done_yet() { ask -H "Prefer: wait=20" "$API/tasks/$TASK" | pick "['done']"; }
while [ "$(done_yet)" = False ]; do sleep 1; done

FILE=$(ask "$API/tasks/$TASK/artifacts" | pick "['items'][0]['id']")
ask "$API/artifacts/$FILE/content" -o words.csv
"""
PYTHON: Final = """\
import json, time
from os import environ
from urllib.request import Request, urlopen

API = "{server}/api/v1"


def ask(method, path, data=None, **headers):
    headers["Authorization"] = "Bearer " + environ["TOKEN"]
    headers["Content-Type"] = "multipart/form-data; boundary=edge"
    with urlopen(Request(API + path, data, headers, method=method), timeout=60) as answer:
        return answer.read()


def part(name, text):
    return f"--edge\\r\\nContent-Disposition: form-data; name={name}\\r\\n\\r\\n{text}\\r\\n"


# Start a task
form = part("kind", "count_words") + part("file; filename=hamlet.txt", "to be or not to be") + "--edge--\\r\\n"
task = json.loads(ask("POST", "/tasks", form.encode()))

# Wait until it is done
while not task["done"]:
    time.sleep(1)
    task = json.loads(ask("GET", "/tasks/" + task["id"], Prefer="wait=20"))

# Download what it made
made = json.loads(ask("GET", f"/tasks/{task['id']}/artifacts"))["items"]
with open("words.csv", "wb") as file:
    file.write(ask("GET", f"/artifacts/{made[0]['id']}/content"))
"""


def shell_script(server: str) -> str:
    """For a shell, with the token in the variable TOKEN, which is exported."""
    return SHELL.replace("{server}", server)


def python_script(server: str) -> str:
    """The same for Python 3.9 or newer."""
    return PYTHON.replace("{server}", server)
