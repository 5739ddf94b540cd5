"""Texts: any writing -> the numbers of its tokens, by a tokeniser that was learnt from the training texts."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from gymnasium import spaces

from lanista.errors import UsageError
from lanista.plugs import one_line, required

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING, UNKNOWN = 0, 1  # the first two ids of every tokeniser; a text without any token is one UNKNOWN
SPECIAL = ("[PAD]", "[UNK]")
GREATEST_LENGTH = 4096
GREATEST_VOCABULARY = 2**17
MOST_JSON = 2**24  # characters
MOST_CHARACTERS = 32  # of a text that are read, for each token that is kept

# What a tokeniser from a file may be made of: nothing that runs a regular expression of the file's own.
NORMALIZERS = {"Sequence", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents", "BertNormalizer"}
PRE_TOKENIZERS = {
    "Sequence",
    "ByteLevel",
    "BertPreTokenizer",
    "Whitespace",
    "WhitespaceSplit",
    "Punctuation",
    "Digits",
    "Metaspace",
}
MODELS = {"BPE", "WordPiece"}
DECODERS = {"Sequence", "ByteLevel", "WordPiece", "BPEDecoder", "Metaspace", "Fuse"}


@dataclasses.dataclass(frozen=True)
class TextInput:
    """Texts become rows of token ids, 0 after the end.

    Attributes:
        length: the most tokens of a text; the rest is not read.
        tokenizer: of the library `tokenizers`, as its JSON: byte pairs or word pieces; id 0 is "[PAD]", 1 "[UNK]".
    """

    length: int
    tokenizer: str

    name: ClassVar[str] = "text"
    modality: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        if not 1 <= self.length <= GREATEST_LENGTH:
            raise UsageError(f"texts of 1 to {GREATEST_LENGTH} tokens are read, not of {self.length}")
        load_tokenizer(self.tokenizer)

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return int(load_tokenizer(self.tokenizer).get_vocab_size())

    @property
    def space(self) -> spaces.Box:
        """(length,) token ids."""
        return spaces.Box(0, self.vocabulary - 1, (self.length,), np.int32)

    def fit(self, raw: Any, rate: int = 0) -> np.ndarray:
        """A list of texts -> (n, length) int32."""
        return token_ids(load_tokenizer(self.tokenizer), raw, self.length)

    def read(self, source: str | Path) -> np.ndarray:
        """A text itself, which may be empty or enormous -> (length,) int32."""
        row: np.ndarray = self.fit([str(source)])[0]
        return row

    def describe(self) -> dict[str, Any]:
        """The fields, and "kind"."""
        return {"kind": self.name, **dataclasses.asdict(self)}


INPUT = TextInput


def learn_text_input(texts: Iterable[str], length: int, vocabulary: int = 8192, lower: bool = True) -> TextInput:
    """Learn a tokeniser from training texts.

    Args:
        texts: nothing else is looked at.
        length: the most tokens of a text.
        vocabulary: the most tokens.
        lower: capitals are read as small letters.
    """
    return TextInput(length, learn_tokenizer(texts, vocabulary, lower))


def learn_tokenizer(
    texts: Iterable[str], vocabulary: int = 8192, lower: bool = True, special: Sequence[str] = ()
) -> str:
    """Learn byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019), to which no writing is unknown.

    Args:
        texts: to learn from.
        vocabulary: the most tokens; 256 of them are the bytes.
        lower: capitals are read as small letters.
        special: tokens of one's own, from id 2 on.

    Returns:
        The tokeniser's JSON.
    """
    required("tokenizers", "perception", "the input 'text'")
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.Sequence([normalizers.NFC(), *([normalizers.Lowercase()] if lower else [])])
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[*SPECIAL, *special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(map(_writable, texts), trainer)
    return str(made.to_str())


@functools.lru_cache(maxsize=32)
def load_tokenizer(text: str) -> Tokenizer:
    """Read a tokeniser's JSON, which may come from a stranger.

    Raises:
        UsageError: it is no tokeniser, is too large, or has parts that are not allowed.
    """
    required("tokenizers", "perception", "the input 'text'")
    from tokenizers import Tokenizer

    _check(text)
    try:
        made = Tokenizer.from_str(text)
        made.no_padding()
        made.no_truncation()
        ids = made.get_vocab(with_added_tokens=True)
    except BaseException as error:  # the library's panics are no Exceptions
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise UsageError(f"'tokenizer' of a text input cannot be read ({one_line(error)[:200]})") from None
    if len(ids) > GREATEST_VOCABULARY or sorted(ids.values()) != list(range(len(ids))):
        raise UsageError(f"'tokenizer' of a text input must have ids 0, 1, ... of at most {GREATEST_VOCABULARY} tokens")
    if [made.id_to_token(PADDING), made.id_to_token(UNKNOWN)] != list(SPECIAL):
        raise UsageError('\'tokenizer\' of a text input must have "[PAD]" as token 0 and "[UNK]" as token 1')
    return made


def _check(text: str) -> None:
    """Is it a tokeniser of the parts that are allowed?"""
    wrong = "'tokenizer' of a text input must be the JSON of a tokeniser of the library 'tokenizers'"
    if len(text) > MOST_JSON:
        raise UsageError(f"{wrong}, of at most {MOST_JSON:,} characters")
    try:
        about = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{wrong} ({error})") from None
    if not isinstance(about, dict) or not isinstance(about.get("model"), dict):
        raise UsageError(f"{wrong}, with a 'model'")
    if about["model"].get("dropout"):
        raise UsageError("'tokenizer' of a text input may not drop merges at random")
    if about.get("post_processor") is not None:
        raise UsageError("'tokenizer' of a text input may have no 'post_processor'")
    parts = {"normalizer": NORMALIZERS, "pre_tokenizer": PRE_TOKENIZERS, "decoder": DECODERS, "model": MODELS}
    for part, allowed in parts.items():
        for kind in _kinds(about.get(part)):
            if kind not in allowed:
                raise UsageError(f"'tokenizer' of a text input has the {part} {kind!r}; {sorted(allowed)} are allowed")


def _kinds(part: object, depth: int = 0) -> Iterator[object]:
    """The types of a tokeniser's part and of the parts in it."""
    if part is None:
        return
    if not isinstance(part, dict) or depth > 3:
        yield part
        return
    yield part.get("type")
    for name in ("normalizers", "pretokenizers", "decoders"):
        inner = part.get(name, [])
        for one in inner if isinstance(inner, list) else [inner]:
            yield from _kinds(one, depth + 1)


def token_ids(tokenizer: Tokenizer, texts: Sequence[str], length: int) -> np.ndarray:
    """Texts -> (n, length) int32, 0 after the end; a text without any token is one UNKNOWN.

    An enormous text is cut before it is taken apart.
    """
    ids = np.zeros((len(texts), length), np.int32)
    found = tokenizer.encode_batch_fast([_writable(text[: MOST_CHARACTERS * length]) for text in texts])
    for row, encoding in enumerate(found):
        some = encoding.ids[:length] or [UNKNOWN]
        ids[row, : len(some)] = some
    return ids


def _writable(text: str) -> str:
    """The text without halves of surrogate pairs, which the library refuses."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
