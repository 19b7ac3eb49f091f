"""The API under `/api/v1`: what all of its operations share. The operations themselves are in `webapp/web/routes/api/`.

`operation` is the decorator that makes one, and OPERATIONS the one table of them: from it come the routes, the OpenAPI
document, the reference page and the tests of who may do what.
"""
