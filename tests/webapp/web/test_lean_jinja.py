"""The templates' engine: what it leaves out is not missed."""

import pytest
from flask.templating import Environment
from jinja2 import DictLoader, StrictUndefined, UndefinedError
from markupsafe import Markup

from webapp.web.lean_jinja import LeanEnvironment


class Shown:
    """Has HTML of its own."""

    def __html__(self):
        return "<b>shown</b>"


MACROS = """
{% macro plain(a, b="<b>", c=none) %}[{{ a }}|{{ b }}|{{ c }}]{% endmacro %}
{% macro around(a) %}({{ a }}{{ caller("<x>") }}){% endmacro %}
{% macro perhaps(a) %}({{ a }}{{ caller() if caller is defined }}){% endmacro %}
{% macro named() %}{{ kwargs|xmlattr }}{% endmacro %}
{% macro listed(a) %}{{ a }}{{ varargs|join("+") }}{% endmacro %}
{% macro nested(n) %}<i>{{ n }}{% if n %}{{ nested(n - 1) }}{% endif %}</i>{% endmacro %}
"""
TEMPLATES = {
    "values": "{{ text }} {{ html }} {{ number }} {{ none }} {{ true }} {{ shown }} {{ text ~ html }} {{ [text] }}",
    "filters": "{{ text|upper }}{{ text|safe }} {{ html|striptags }} {{ [html, text]|join }} {{ {'a': text}|xmlattr }}",
    "set blocks": "{% set x %}<p>{{ text }}</p>{% endset %}{{ x }}{{ x|length }}",
    "by position": MACROS + "{{ plain(text) }}{{ plain(html, text) }}{{ plain(1, 2, shown) }}{{ nested(2) }}",
    "by name": MACROS
    + "{{ plain(b=text, a=html) }}{{ plain(text, c='&') }}{{ plain(*[text, html]) }}{{ plain(**{'a': 1}) }}",
    "with a caller": MACROS
    + "{% call(x) around(text) %}{{ x }}{{ html }}{% endcall %}{{ perhaps(1) }}{% call perhaps(2) %}&{% endcall %}",
    "with what it collects": MACROS + "{{ named(class=text, hidden=true) }}{{ listed(1, text, html) }}{{ listed(1) }}",
    "imported": '{% import "macros" as m %}{{ m.plain(text) }}{% from "macros" import nested %}{{ nested(1) }}',
    "macros": MACROS + "!",
    "in a loop": "{% for x in [text, html] %}{{ loop.index }}{{ loop.cycle('a', 'b') }}{{ function(x) }}{% endfor %}",
    "recursive": "{% for x in [[[], []], []] recursive %}<li>{{ x|length }}{{ loop(x) }}</li>{% endfor %}",
    "extended": '{% extends "base" %}{% block a %}{{ super() }}{{ text }}{{ self.b() }}{% endblock %}',
    "base": "<{% block a %}{{ function(text, last=html) }}{% endblock %}{% block b %}&{% endblock %}>",
    "included": '{% for x in [1, 2] %}{% include "by name" %}{{ x }}{% endfor %}',
    "unescaped": "{% autoescape false %}{{ text }}{{ html }}{% endautoescape %}{{ text }}",
}
GIVEN = {
    "text": "<a> & \"b\" 'c' é",
    "html": Markup("<em>&amp;</em>"),
    "number": 7,
    "shown": Shown(),
    "function": lambda first, last="": f"<{first}{last}>",
}
WRONG = {
    "too many": MACROS + "{{ plain(1, 2, 3, 4) }}",
    "twice": MACROS + "{{ plain(1, a=2) }}",
    "unknown": MACROS + "{{ plain(1, d=2) }}",
    "a caller that it does not call": MACROS + "{% call plain(1) %}{% endcall %}",
    "too few for what is written": "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}",
    "a function that is not there": "{{ nothing(1) }}",
    "a function that fails": "{{ function() }}",
}


@pytest.fixture
def engines(app):
    """Flask's environment, and ours."""
    made = [kind(app, autoescape=True, undefined=StrictUndefined) for kind in (Environment, LeanEnvironment)]
    for engine in made:
        engine.loader = DictLoader(TEMPLATES | WRONG)
    return made


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_html_is_that_of_jinja2(engines, name):
    theirs, ours = (engine.get_template(name).render(**GIVEN) for engine in engines)
    assert ours == theirs != ""


@pytest.mark.parametrize("name", WRONG)
def test_what_jinja2_refuses_is_refused(engines, name):
    for engine in engines:
        with pytest.raises((TypeError, UndefinedError)):
            engine.get_template(name).render(**GIVEN)
