"""A person's browser without JavaScript, over real HTTP: cookies, forms with their tokens, redirects."""

from http.client import HTTPConnection
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

from bs4 import BeautifulSoup

from tests.browsing import one


class Surfer:
    """Somebody at a site in another process. Redirects are followed; `url` is where the last one led."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.url = site
        self.cookies = CookieJar()
        self._open = build_opener(HTTPCookieProcessor(self.cookies)).open

    def read(self, path: str, form: dict[str, str] | None = None, **headers: str) -> bytes:
        """The body of an answer, whatever its status, which is then in `status`."""
        data = urlencode(form).encode() if form is not None else None
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            answer = self._open(Request(self.site + path, data, headers), timeout=20)
        except HTTPError as error:
            answer = error
        with answer:
            self.status, self.url, self.headers = answer.status, answer.url, answer.headers
            return answer.read()

    def visit(self, path: str, **headers: str) -> BeautifulSoup:
        """A page."""
        return BeautifulSoup(self.read(path, **headers), "html.parser")

    def submit(self, path: str, **form: str) -> BeautifulSoup:
        """The page that sending a form leads to."""
        token = self.visit("/login").select("input[name=csrf_token]")[0]["value"]  # the home page, once signed in
        return BeautifulSoup(self.read(path, form | {"csrf_token": token}), "html.parser")

    def lose(self, path: str, form: dict[str, str]) -> None:
        """Send a form and hang up before any answer."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        connection = HTTPConnection(urlsplit(self.site).netloc, timeout=20)
        connection.request("POST", path, urlencode(form), headers)
        connection.close()

    def start(self, name: str, **form: str) -> str:
        """Start a task; returns its path."""
        self.submit(f"/tasks/new/{name}", **form)
        path = self.url.removeprefix(self.site)
        assert path.startswith("/tasks/"), path
        return path

    def state_of(self, path: str) -> str:
        """The state of a task, as its page shows it."""
        return str(one(self.visit(path), "article.task")["data-state"])
