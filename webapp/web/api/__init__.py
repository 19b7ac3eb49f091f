"""The API under `/api/v1`: what all of its operations share. The operations themselves are in `webapp/web/routes/api/`.

| to know | read |
|---|---|
| how an operation is made, and OPERATIONS, the one table of them | `operation.py` |
| how one is carried out | `call.py`; then `authentication.py` (tokens), `rate_limits.py`, `idempotency.py` |
| what it reads | `parameters.py`, `json_body.py`, `multipart.py`, `forms.py` (those of pages), `start_time.py` |
| what it answers | `resource.py`, `resources/`, `pages.py` (lists and cursors), `etags.py` |
| how it refuses | `problems.py` (all types), `errors.py` (exceptions as problems) |
| what every answer has, also where there is no operation | `every_answer.py`, `deprecation.py` |
| the OpenAPI document | `openapi.py`, `openapi_parameters.py`, `openapi_answers.py`, `examples.py` |
| tasks | `finding.py`, `acting.py` (whose they may be), `task_query.py` (lists), `waiting.py` (`Prefer: wait`) |
| mailings | `mail_finding.py`, `mail_forms.py`, `mail_refusals.py` |
| the feed of notifications | `feed.py` |
"""
