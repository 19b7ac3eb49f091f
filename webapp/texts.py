"""Texts: what people see of them."""

# Letters and marks of their own categories that are drawn as nothing, or as a space.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}


def is_blank(text: str) -> bool:
    """Whether nothing of a text is seen: it is empty, or only spaces, controls and characters that are not drawn."""
    return not any(c.isprintable() and not c.isspace() and c not in _INVISIBLE for c in text)
