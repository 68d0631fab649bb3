"""Reads WordNet's database files (Debian's wordnet-base) as dictionary entries.

The grammar of the files is in wndb(5WN). One synset is one line of data.POS:
    offset lexfile ss_type word_count(hex) (word lex_id(hex))… pointer_count (symbol offset pos source/target(hex))…
    [frame_count (+ frame word(hex))…] | gloss
"""

import pathlib
import re

FOLDER = pathlib.Path("/usr/share/wordnet")
FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
POS = {"n": "noun", "v": "verb", "a": "adjective", "s": "adjective satellite", "r": "adverb"}

# lexnames(5WN), in the order of their numbers.
LEXFILES = (
    "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition "
    "noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person "
    "noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state "
    "noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition "
    "verb.consumption verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social "
    "verb.stative verb.weather adj.ppl"
).split()

# wninput(5WN). Two symbols mean another thing for verbs or adverbs: see `_relation`.
RELATIONS = {
    "!": "antonym", "@": "hypernym", "@i": "instance hypernym", "~": "hyponym", "~i": "instance hyponym",
    "#m": "member holonym", "#s": "substance holonym", "#p": "part holonym",
    "%m": "member meronym", "%s": "substance meronym", "%p": "part meronym",
    "=": "attribute", "+": "derivationally related form", "*": "entailment", ">": "cause", "^": "also see",
    "$": "verb group", "&": "similar to", "<": "participle of verb", "\\": "pertainym",
    ";c": "domain of synset: topic", "-c": "member of this domain: topic",
    ";r": "domain of synset: region", "-r": "member of this domain: region",
    ";u": "domain of synset: usage", "-u": "member of this domain: usage",
}  # fmt: skip

_MARKER = re.compile(r"\((a|p|ip)\)$")  # where an adjective may stand: "galore(ip)"
_EXAMPLE = re.compile(r'"([^"]*)(?:"|$)')


def synsets(folder=FOLDER):
    """Yields (entity id such as "n00001740", entry as a dict that json.dumps takes), in the order of the files."""
    for letter, name in FILES.items():
        senses = _senses(folder / f"index.{name}")
        for line in _lines(folder / f"data.{name}"):
            yield entity_id(letter, line[:8]), parse_synset(line, letter, senses)


def entity_id(letter, offset):
    return letter + offset


def parse_synset(line, letter, senses):
    """One line of a data file as an entry. `senses`: {(lemma in lower case, offset): sense number}."""
    data, _, gloss = line.partition(" | ")
    fields = iter(data.split())
    offset, lexfile, kind = next(fields), LEXFILES[int(next(fields))], POS[next(fields)]
    words = [_word(next(fields), next(fields), offset, senses) for _ in range(int(next(fields), 16))]
    pointers = [
        _pointer(next(fields), next(fields), next(fields), next(fields), letter, words)
        for _ in range(int(next(fields)))
    ]
    definition, examples = split_gloss(gloss)
    return {
        "pos": kind,
        "lexfile": lexfile,
        "words": words,
        "gloss": {"definition": definition, "examples": examples},
        "pointers": pointers,
    }


def split_gloss(gloss):
    """'a thing; "an example"; "another"' → ('a thing', ['an example', 'another']). A missing last quote is forgiven."""
    definition, quote, rest = gloss.strip().partition('"')
    examples = [text.strip() for text in _EXAMPLE.findall(quote + rest)]
    return definition.strip().rstrip(";:").rstrip(), [text for text in examples if text]


def _word(text, lex_id, offset, senses):
    lemma, *marker = _MARKER.split(text)[:2]
    word = {
        "lemma": lemma.replace("_", " "),
        "lex_id": int(lex_id, 16),
        "sense": senses.get((lemma.lower(), offset)),
    }
    return word | {"position": marker[0]} if marker else word


def _pointer(symbol, offset, pos, ends, letter, words):
    pointer = {"relation": _relation(symbol, letter), "target": entity_id(pos, offset)}
    source, target = int(ends[:2], 16), int(ends[2:], 16)
    if source:  # 0000: between synsets; else from this word of the one to that word of the other
        pointer |= {"from": words[source - 1]["lemma"], "to_word": target}
    return pointer


def _relation(symbol, letter):
    if symbol == "\\" and letter == "r":
        return "derived from adjective"
    return RELATIONS[symbol]


def _senses(path):
    """index.POS: lemma pos synset_count pointer_count symbol… sense_count tagged_count offset…; the offset's place is
    the number of the sense."""
    senses = {}
    for line in _lines(path):
        fields = line.split()
        for number, offset in enumerate(fields[-int(fields[2]) :], start=1):
            senses[fields[0], offset] = number
    return senses


def _lines(path):
    with path.open(encoding="ascii") as file:
        for line in file:
            if not line.startswith("  "):  # the licence
                yield line
