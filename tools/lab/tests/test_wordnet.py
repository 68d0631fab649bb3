import json
import unittest

from lab import wordnet

OUTBACK = (
    "00020103 00 s 02 outback(a) 0 remote 1 003 & 00019874 a 0000 + 05085165 n 0202 \\ 08505110 n 0101 "
    '| inaccessible and sparsely populated; "the outback station"; "no last quote  \n'
)
RESPIRE = "00002573 29 v 01 respire a 002 $ 00001740 v 0000 @ 00001740 v 0000 01 + 02 00 | breathe easily again  \n"


class ParseSynset(unittest.TestCase):
    def test_words_have_lemma_lex_id_sense_and_position(self):
        entry = wordnet.parse_synset(OUTBACK, "a", {("outback", "00020103"): 1, ("remote", "00020103"): 4})
        self.assertEqual(
            entry["words"],
            [
                {"lemma": "outback", "lex_id": 0, "sense": 1, "position": "a"},
                {"lemma": "remote", "lex_id": 1, "sense": 4},
            ],
        )
        self.assertEqual((entry["pos"], entry["lexfile"]), ("adjective satellite", "adj.all"))

    def test_pointers_between_words_name_the_word(self):
        pointers = wordnet.parse_synset(OUTBACK, "a", {})["pointers"]
        self.assertEqual(pointers[0], {"relation": "similar to", "target": "a00019874"})
        self.assertEqual(pointers[1]["from"], "remote")
        self.assertEqual(pointers[2]["relation"], "pertainym")
        self.assertEqual(wordnet.parse_synset(OUTBACK, "r", {})["pointers"][2]["relation"], "derived from adjective")

    def test_verb_frames_are_not_taken_for_pointers(self):
        entry = wordnet.parse_synset(RESPIRE, "v", {})
        self.assertEqual([each["relation"] for each in entry["pointers"]], ["verb group", "hypernym"])
        self.assertEqual(entry["words"][0]["lex_id"], 10)

    def test_gloss_is_split_and_a_missing_last_quote_forgiven(self):
        gloss = wordnet.parse_synset(OUTBACK, "a", {})["gloss"]
        self.assertEqual(gloss["definition"], "inaccessible and sparsely populated")
        self.assertEqual(gloss["examples"], ["the outback station", "no last quote"])
        self.assertEqual(wordnet.split_gloss("alone  \n"), ("alone", []))


class WholeWordNet(unittest.TestCase):
    def test_it_has_117659_synsets_with_unique_ids_and_no_dangling_pointer(self):
        entries = dict(wordnet.synsets())
        self.assertEqual(len(entries), 117_659)
        self.assertEqual({p["target"] for e in entries.values() for p in e["pointers"]} - entries.keys(), set())
        self.assertTrue(all(word["sense"] for entry in entries.values() for word in entry["words"]))
        self.assertTrue(all(entry["gloss"]["definition"] for entry in entries.values()))
        self.assertIn("that which is perceived", json.dumps(entries["n00001740"]))


if __name__ == "__main__":
    unittest.main()
