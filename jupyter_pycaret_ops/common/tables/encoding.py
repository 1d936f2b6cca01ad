"""Choose the encoding of a text that is not UTF-8, by how well each reading looks like written language.

Every candidate that decodes the bytes gives a reading. A reading is scored by its letters, which should form
words of one script and be as frequent as in one language, and by its signs, which should stand where signs
stand. Repeated words count once, so a column of few levels is no more evidence than its levels.
"""

from __future__ import annotations

import codecs
import contextlib
import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from ..errors import Invalid

#: in the order in which candidates that read a file alike are preferred, each with its log prior
CANDIDATES: dict[str, float] = {
    "cp1252": 0.0,
    "cp1250": -1.5,
    "cp1251": -1.0,
    "iso8859-15": -1.0,
    "gb18030": -1.0,
    "shift_jis": -1.0,
    "big5": -1.0,
    "euc_kr": -1.0,
}
#: supersets that Windows writes, tried where the standard encoding does not decode
SUPERSETS = {"shift_jis": "cp932", "big5": "big5hkscs", "euc_kr": "cp949"}
#: log ratio by which the best reading is clearly better than the next one: twenty to one
CLEAR_MARGIN = math.log(20)
#: the vote of charset-normalizer for a reading, as a log ratio
VOTE = 1.0
#: share of characters in impossible places above which no reading is believed
MAX_BAD_SHARE = 0.3
MAX_WORDS = 1_000
MAX_WORD_LENGTH = 60
MAX_VOTE_BYTES = 16 * 1024

#: languages -> relative frequency of their letters beyond ASCII
_LANGUAGES: dict[str, dict[str, float]] = {
    language: {item[0]: float(item[1:]) for item in letters.split()}
    for language, letters in {
        "French": "é190 è27 à49 ê22 ç9 ù6 ô4 î5 û6 â5 ï1 ë1 œ2",
        "German": "ü100 ä58 ö44 ß31 é2",
        "Spanish": "ó83 í73 á50 é43 ñ31 ú17 ü1",
        "Portuguese": "ã90 ç70 á60 é50 í40 ó40 ê35 ú20 õ20 â15 à10 ô10",
        "Italian": "à60 è30 ù17 ò20 ì12 é5",
        "Swedish": "ä180 å134 ö131 é3",
        "Danish": "å119 ø94 æ87 é3 ö1",
        "Finnish": "ä358 ö44 å2",
        "Dutch": "é15 ë10 ï4 ü2 ö2 è2",
        "Icelandic": "ð44 á18 í16 þ14 ó10 æ9 ö8 é6 ú6 ý2",
        "Catalan": "à60 é50 è40 ó40 í40 ò30 ú20 ç20 ï10 ü5",
        "Polish": "ł210 ę113 ó114 ą70 ż71 ś81 ć74 ń36 ź8",
        "Czech": "í290 á220 ě160 é140 ř120 ý110 č100 ž100 š80 ů70 ú10 ň10 ť4 ď3 ó3",
        "Slovak": "á200 č120 í100 ý90 ž90 š90 ú90 é80 ť80 ľ35 ň20 ô20 ď20 ó10 ä10 ŕ1 ĺ1",
        "Hungarian": "é390 á340 ó100 ö80 ő90 í50 ü50 ú20 ű20",
        "Romanian": "ă400 ş150 î130 ţ120 â90",
        "Croatian": "č100 š90 ž60 ć50 đ30",
        "Russian": (
            "о110 е85 а80 и74 н67 т63 с55 р47 в45 л44 к35 м32 д30 п28 у26 я20 ы19 ь17 г17 з16 б16 ч14"
            " й12 х10 ж9 ш7 ю6 ц5 щ4 э3 ф3 ъ1 ё1"
        ),
        "Ukrainian": (
            "о94 а72 н65 и61 і57 т53 в52 е46 р45 с40 л36 к35 у34 д32 м31 п29 з23 я22 ь18 б17 г16 й14"
            " ч12 х12 ю9 ц8 ж8 ш8 ї7 є5 щ4 ф3 ґ1"
        ),
        "Bulgarian": (
            "а117 и91 о88 е87 т77 н72 с55 в45 р47 л35 к35 д35 п29 м25 з21 ъ17 я17 г16 у16 б13 ч14 й7"
            " ж7 щ6 ш4 х5 ц6 ф2 ю1 ь1"
        ),
        "Serbian": (
            "а115 о96 и93 е90 н58 р52 с50 т48 у44 в40 ј37 к36 д35 л34 м33 п29 з18 г17 б16 ш10 ч10 њ8"
            " ц8 ж7 ћ6 љ5 х6 ф3 ђ2 џ1"
        ),
    }.items()
}
_TOTALS = {language: sum(letters.values()) for language, letters in _LANGUAGES.items()}
#: a letter that a language does not have: of a word from another one, or of none
_FOREIGN_WORD = 0.05
_FOREIGN_LETTER = 2e-4
_IMPOSSIBLE = 1e-5
_BAD_SIGN = 1e-4

_COMMON_HAN = frozenset(
    "的一是不了人我在有他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多"
    "天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但"
    "身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四"
    "第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通"
    "目华报立马命张活难神数件安表原车白应路期叫死常提感金何更反合放做系计或司利受光王果亲界及今京务制解各任至清物"
    "台象记边共风战干接它许八特觉望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思非流每青管夫连远"
    "资队跟带花快条院变联言权往展该领传近留红治决周保达办运武半候七必城父强步完革深区即求品士转量空众技轻程告江语"
    "英基派满式李息写识极黄德收脸钱党倒未持取设始版双历越史商千片容研像找友孩站广改议形委早房音火际则首单据导影失"
    "拿网香似石若兵校读志飞观争究包组造落视济喜离州湖河省县店价格产品类型客户姓姓性别职伟芳娜敏静丽杰涛超磊洋艳勇"
    "這來個國說們為時對過學後麼沒於還發當無開見經頭從動兩長樣現將與進實點種聲話兒問機給幾業間電門東聽氣關並卻軍產"
    "萬體別處總場師書員華報馬張難車應認識論義術結連遠資隊帶條變聯權領傳紅決達辦運強區轉眾輕語滿寫極黃臉錢黨設雙歷廣"
    "議際則單據導網讀飛觀爭組視濟離臺灣縣價類職麗陳劉楊趙吳鄭謝許蘇葉呂蔣蔡賈徐孫胡朱高林何郭羅梁宋唐韓馮鄧曹彭曾"
    "田村井木本山川島崎野原藤佐伊渡辺斎松橋阪都府県町区市社株式会円駅店様氏製品番号備考名前住所電話東京大"
)
_HANGUL_INITIALS = (12, 1, 6, 8, 0.7, 7, 5, 6, 0.3, 10, 0.5, 20, 9, 0.3, 3, 1.5, 2, 2, 8)
_HANGUL_VOWELS = (20, 5, 1.5, 0.1, 9, 5, 6, 0.7, 10, 2, 0.3, 1, 2.5, 8, 1, 0.1, 1, 1.5, 9, 1.5, 16)
_HANGUL_FINALS = {0: 45.0, 1: 7.0, 4: 15.0, 8: 9.0, 16: 5.0, 17: 2.5, 19: 2.0, 20: 2.0, 21: 10.0}

_SEPARATORS = re.compile(r'[ \t\r\n,;|"]+')
_WORD_SEPARATORS = re.compile(r"[\W\d_]+")
_VOWELS = frozenset("aeiouy")
_QUOTES = frozenset("“”„‘’‚«»‹›…†‡•")
_RARE_SIGNS = frozenset("¤¦¬¯¨¸´˙˛˝ˇ˘ˆ˜")


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of the bytes: its encoding, text, score, and share of characters in impossible places."""

    encoding: str
    text: str
    score: float
    bad_share: float


def choose_encoding(evidence: bytes) -> str:
    """Return the encoding of bytes that are not UTF-8; whole lines with other bytes than ASCII are enough.

    Raises
    ------
    Invalid
        When no candidate reads them, or two read them differently and neither is clearly better.
    """
    readings = sorted(_readings(evidence), key=lambda reading: -reading.score)
    if not readings or readings[0].bad_share > MAX_BAD_SHARE:
        raise _unclear(
            "The encoding of the file is not recognised. Set `encoding`, or save as UTF-8."
        )
    best, *others = readings
    rival = next((reading for reading in others if best.score - reading.score < CLEAR_MARGIN), None)
    if rival is None:
        return best.encoding
    first, second = _difference(best.text, rival.text)
    raise _unclear(
        f"The encoding of the file is not clear: {best.encoding} reads “{first}”, "
        f"{rival.encoding} reads “{second}”. Set `encoding` to the right one."
    )


def _unclear(message: str) -> Invalid:
    return Invalid(message, errors=[{"loc": ["encoding"], "msg": message}])


def _readings(evidence: bytes) -> list[_Reading]:
    """Return the different readings, each under the first of the candidates that read so."""
    has_c1 = any(0x80 <= byte <= 0x9F for byte in set(evidence))
    texts: dict[str, str] = {}
    for candidate in CANDIDATES:
        if candidate == "iso8859-15" and has_c1:
            continue
        for encoding in (candidate, SUPERSETS.get(candidate)):
            if encoding is None:
                continue
            try:
                text = evidence.decode(encoding)
            except UnicodeDecodeError:
                continue
            texts.setdefault(text, encoding)
            break
    voted = _charset_normalizer(evidence) & texts.keys() if len(texts) > 1 else set()
    readings = []
    for text, encoding in texts.items():
        score, bad_share = _score(text)
        prior = next(
            CANDIDATES[name] for name in CANDIDATES if encoding in (name, SUPERSETS.get(name))
        )
        score += prior + (VOTE if voted == {text} else 0.0)
        readings.append(_Reading(encoding, text, score, bad_share))
    return readings


def _charset_normalizer(evidence: bytes) -> set[str]:
    """Return the readings that charset-normalizer finds best: several where it sees no difference."""
    from charset_normalizer import from_bytes

    matches = from_bytes(evidence[:MAX_VOTE_BYTES])
    best = matches.best()
    texts = set()
    for match in matches:
        if best is None or (match.chaos, match.coherence) != (best.chaos, best.coherence):
            continue
        with contextlib.suppress(UnicodeDecodeError, LookupError):
            texts.add(evidence.decode(match.encoding))
    return texts


def _difference(first: str, second: str) -> tuple[str, str]:
    """Return a word that two readings read differently, in both."""
    for one, other in zip(first.splitlines(), second.splitlines(), strict=False):
        if one == other:
            continue
        words = list(zip(_SEPARATORS.split(one), _SEPARATORS.split(other), strict=False))
        differing = next(((a, b) for a, b in words if a != b), (one, other))
        return differing[0][:MAX_WORD_LENGTH], differing[1][:MAX_WORD_LENGTH]
    return first[:MAX_WORD_LENGTH], second[:MAX_WORD_LENGTH]


def _score(text: str) -> tuple[float, float]:
    """Return the log likelihood of a reading, and its share of characters in impossible places."""
    words: dict[str, None] = {}
    for word in _SEPARATORS.split(text):
        if not word.isascii():
            words.setdefault(word[:MAX_WORD_LENGTH])
            if len(words) >= MAX_WORDS:
                break
    letters: Counter[str] = Counter()
    score, count, bad = 0.0, 0, 0
    for word in words:
        for position, character in enumerate(word):
            if character.isascii():
                continue
            count += 1
            before = word[position - 1] if position else ""
            after = word[position + 1] if position + 1 < len(word) else ""
            second_before = word[position - 2] if position > 1 else ""
            likelihood, is_bad = _place(character, before, after, second_before)
            if _script(character) in ("Latin", "Cyrillic"):
                letters[character.lower()] += 1
            score += likelihood
            bad += is_bad
    return score + _letter_score(letters), bad / max(1, count)


def _letter_score(letters: Counter[str]) -> float:
    """Return the log likelihood of letters in the language that they fit best."""
    if not letters:
        return 0.0
    foreign = {
        letter: max(
            _FOREIGN_WORD * max(_share(letter, each) for each in _LANGUAGES), _FOREIGN_LETTER
        )
        for letter in letters
    }
    return max(
        sum(
            times * math.log(max(_share(letter, language), foreign[letter]))
            for letter, times in letters.items()
        )
        for language in _LANGUAGES
    )


def _share(letter: str, language: str) -> float:
    return _LANGUAGES[language].get(letter, 0) / _TOTALS[language]


def _script(character: str) -> str:
    code = ord(character)
    if character.isascii():
        return "Latin" if character.isalpha() else ""
    if 0xC0 <= code <= 0x24F:
        return "Latin" if character.isalpha() else ""
    if 0x400 <= code <= 0x52F:
        return "Cyrillic"
    if 0x3040 <= code <= 0x30FF:
        return "Kana"
    if 0xFF61 <= code <= 0xFF9F:
        return "Half-width kana"
    if 0x4E00 <= code <= 0x9FFF:
        return "Han"
    if 0xAC00 <= code <= 0xD7A3:
        return "Hangul"
    return "Other" if character.isalpha() and character not in "ªºµ" else ""


#: (log likelihood, whether this is an impossible place)
_Place = tuple[float, bool]


def _place(character: str, before: str, after: str, second_before: str) -> _Place:
    """Return how plausible a character is between its neighbours; of CJK, its frequency is included."""
    script = _script(character)
    scripts = {_script(neighbour) for neighbour in (before, after) if neighbour}
    if script == "Latin":
        probability = _latin_place(character, before, after, second_before, scripts)
        return math.log(probability), probability <= 0.02
    if script == "Cyrillic":
        is_mixed = bool(scripts - {"", "Cyrillic"})
        is_broken = is_mixed or (character.isupper() and before.islower())
        if not before and not after:
            return math.log(0.1 if character.isupper() else 0.5), False
        is_code = before.isdigit() or after.isdigit()
        return math.log(0.01 if is_broken else 0.05 if is_code else 1.0), is_broken
    if script in ("Han", "Hangul", "Kana"):
        return _cjk_place(character, script, before, after, scripts)
    if script == "Half-width kana":
        is_word = "Half-width kana" in scripts and "Latin" not in scripts
        return math.log(1 / 40 if is_word else _IMPOSSIBLE), not is_word
    if script == "Other":
        return math.log(_IMPOSSIBLE), True
    probability = _sign_place(character, before, after)
    return math.log(probability), probability <= _BAD_SIGN


def _cjk_place(character: str, script: str, before: str, after: str, scripts: set[str]) -> _Place:
    if script == "Kana":
        score = math.log(1 / 60)
    else:
        score = math.log(_han(character) if script == "Han" else _hangul(character))
    if "Cyrillic" in scripts or "Half-width kana" in scripts:
        return score + math.log(0.01), True
    if any(neighbour.isascii() and neighbour.islower() for neighbour in (before, after)):
        return score + math.log(0.02), True
    if (script == "Hangul" and "Han" in scripts) or (script == "Kana" and "Hangul" in scripts):
        return score + math.log(0.1), False
    return score, False


def _latin_place(
    character: str, before: str, after: str, second_before: str, scripts: set[str]
) -> float:
    if scripts - {"", "Latin"}:
        return 0.01
    is_sign = character.isupper() and not before.isalpha() and after.isdigit()  # `Ł12` for `£12`
    if (character.isupper() and before.islower()) or is_sign:
        return 0.02
    if before.isdigit():
        return 0.05
    if not before and not after and character.isupper():
        return 0.1
    probability = 1.0
    if before and not before.isascii() and before.isalpha():
        is_third = second_before and not second_before.isascii() and second_before.isalpha()
        is_shouted = before.isupper() and character.isupper()
        probability = 0.02 if is_third or is_shouted else 0.5
    if character in "ńśź" and after and _is_vowel(after):
        probability *= 0.05  # in Polish these letters are written with an i there
    if before.isalpha() and after.isalpha():
        kinds = {_is_vowel(before), _is_vowel(character), _is_vowel(after)}
        if kinds == {True}:
            probability *= 0.1
        elif kinds == {False}:
            probability *= 0.3
    return probability


def _is_vowel(character: str) -> bool:
    base = unicodedata.normalize("NFD", character.lower())[:1]
    return base in _VOWELS or base in "æœø"


def _han(character: str) -> float:
    if character in _COMMON_HAN:
        return 1 / 900
    for encoding in ("gb2312", "big5", "shift_jis"):
        try:
            code = character.encode(encoding)
        except UnicodeEncodeError:
            continue
        first = code[0]
        is_common = {
            "gb2312": 0xB0 <= first <= 0xD7,
            "big5": 0xA4 <= first <= 0xC6,
            "shift_jis": 0x88 <= first <= 0x97,
        }[encoding]
        if is_common:
            return 1 / 8_000
    return 1e-6


def _hangul(character: str) -> float:
    syllable = ord(character) - 0xAC00
    initial, vowel, final = syllable // 588, syllable % 588 // 28, syllable % 28
    probability = _HANGUL_INITIALS[initial] * _HANGUL_VOWELS[vowel] * _HANGUL_FINALS.get(final, 0.3)
    return probability / 1e6


def _sign_place(character: str, before: str, after: str) -> float:
    """Return how plausible a sign is between its neighbours."""
    code = ord(character)
    in_word = before.isalpha() and after.isalpha()
    if 0x3000 <= code <= 0x303F or 0xFF00 <= code <= 0xFF60 or 0x2460 <= code <= 0x24FF:
        return 1 / 100
    if character in _RARE_SIGNS or unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs"):
        return _IMPOSSIBLE
    if character in "’·" and in_word:
        return 0.05
    if character in "–—\u00a0-":
        return 0.05
    if character in _QUOTES or character in "§¶©®™±×÷‰¿¡":
        return _BAD_SIGN if in_word else 0.05
    if character in "€£¥¢ƒ":
        return _BAD_SIGN if before.isalpha() or after.isalpha() else 0.05
    if character == "°":
        return _BAD_SIGN if in_word else 0.05
    if character in "ªº":
        return 0.05 if before.isdigit() or (before.isalpha() and not after) else _BAD_SIGN
    if character in "¹²³":
        return 0.05 if before and not after.isalnum() else _BAD_SIGN
    if character in "½¼¾":
        return _BAD_SIGN if before.isalpha() or after.isalpha() else 0.05
    if character == "µ":
        return _BAD_SIGN if before.isalpha() else 0.05
    return 1e-3


def is_utf16(head: bytes) -> str | None:
    """Return the name of the UTF-16 encoding of a file that begins so; None when it is another one."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return None
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    pairs = len(head) // 2
    low, high = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    for encoding, zeros, others in (("utf-16-le", high, low), ("utf-16-be", low, high)):
        # line ends and delimiters alone bring some in every script; the other half has few
        if zeros < 2 or zeros * 10 < pairs or others * 4 > zeros:
            continue
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head[: 2 * pairs])
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and ("\n" in text or "\r" in text):
            return encoding
    return None
