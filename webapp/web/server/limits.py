"""What a client may take: seconds, bytes and requests, each per connection unless it says otherwise."""

import resource

HEAD_WITHIN = 20.0  # seconds from the first byte of a request to the end of its headers
MAX_HEAD = 64 * 1024  # bytes; gunicorn's own limits of lines and fields are below it
# A body, or an answer, has so many seconds, and one more for as many bytes as SLOWEST says.
BODY_WITHIN = 30.0
SLOWEST = 16 * 1024  # bytes a second
IN_MEMORY = 64 * 1024  # bytes of a body; what is longer goes into a temporary file
MAX_HELD = 128 * 1024 * 1024  # bytes of a process that all clients make it hold in memory; who holds most is ended
MAX_SPOOLED = 512 * 1024 * 1024  # bytes of all unread bodies of a process; more get 503
BEGINNING = 1024 * 1024  # bytes of a body that is too large: as much as is read of one to show its form again
OUTLET = 64 * 1024  # bytes of an answer that wait for the client, before the next piece is made
UNSENT = 256 * 1024  # bytes of an answer that the system takes beyond what is on its way to the client
MAX_AHEAD = 64 * 1024  # bytes that a client may send beyond its request; the rest waits in the socket
# After a last answer the client gets so long to hang up, while what it still sends is thrown away: a socket that is
# closed with unread bytes takes the answer with it.
LINGER = 2.0
LINGER_BODY = 30.0  # where it is still sending a body
STOP_KEEPALIVE = 2.0  # seconds for one more request on an idle connection of a process that ends
MAX_QUEUED = 1000  # requests of a process that wait for a thread; more get 503
RETRY_AFTER = 5  # seconds
KEPT_FOR = (600.0, 1200.0)  # seconds, at random: so processes that are renewed get their share of the connections
RENEWAL_RATE = 200  # connections that a process which is renewed closes a second, each with an answer
ACCEPTED_AT_ONCE = 1  # connections, so that idle processes take theirs
FILES = 300  # of a process that are no connections of clients: the database's, modules, uploads on their way


def open_as_many_as_allowed(wanted: int) -> int:
    """Raise this process's limit of open files to what the system allows; how many connections it can hold then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted + FILES
    if soft != resource.RLIM_INFINITY and soft < enough:
        soft = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(100, min(wanted, soft - FILES))
