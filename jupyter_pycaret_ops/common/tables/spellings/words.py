"""The words that mean a missing value, true or false."""

from __future__ import annotations

#: missing in columns of numbers, dates and durations, in any case; the empty cell is missing everywhere
MISSING_WORDS = frozenset(
    {
        *("na", "n/a", "nan", "null", "none", "nil", "missing", "?", "-", "--", ".", "#n/a", "#na"),
        *("#value!", "#div/0!"),
    }
)
#: numbers that no model takes, as programs write them: missing, too
INFINITE_WORDS = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
#: missing in columns of text, as they are written
MISSING_TEXTS = frozenset({"NaN", "nan", "null", "NULL", "#N/A"})
#: the pairs of words of a boolean column: (true, false)
BOOLEAN_WORDS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))


def boolean_words(texts: set[str]) -> dict[str, bool] | None:
    """Return what the two spellings of a boolean column mean, None where `texts` are no such pair.

    Of `true` and `false`, which parsers of CSV know in any case, there may be several spellings.
    """
    folded = {text.lower() for text in texts}
    if folded == {"true", "false"}:
        return {text: text.lower() == "true" for text in texts}
    if len(texts) != 2:
        return None
    by_word = {text.lower(): text for text in texts}
    for true, false in BOOLEAN_WORDS:
        if set(by_word) == {true, false}:
            return {by_word[true]: True, by_word[false]: False}
    return None


def parse_boolean(text: str) -> bool | None:
    """Return the boolean that a word, `1` or `0` means, None for other texts."""
    word = text.lower()
    for true, false in (*BOOLEAN_WORDS, ("1", "0")):
        if word in (true, false):
            return word == true
    return None


def is_missing_word(text: str, *, is_text: bool, words: frozenset[str] | None = None) -> bool:
    """Return whether a cell means a missing value; `text` has no blanks around it.

    `is_text` : the column holds text or labels. `words` : the user's own, in place of the rules.
    """
    if not text:
        return True
    if words is not None:
        return text in words
    if is_text:
        return text in MISSING_TEXTS
    word = text.lower()
    return word in MISSING_WORDS or word in INFINITE_WORDS
