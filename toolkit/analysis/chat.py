"""What was written: questions, words, emoji, languages."""

from __future__ import annotations

import polars as pl

from toolkit.analysis.observed import Frame

__all__ = ["emoji_counts", "language_counts", "questions_asked", "word_counts"]

_QUESTION_MARK = r"[?？؟]"
_PADDING_BEFORE, _PADDING_AFTER = r"^[^\p{L}\p{N}]+", r"[^\p{L}\p{N}]+$"
"""Marks and emoji around a question: with and without them it is the same question."""

_WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]{2,}|\p{L}[\p{L}\p{M}]{3,}"
"""Four letters and more: leaves out most of the small words of most languages without a
list for each. Where no spaces are set (Chinese, Japanese, Thai) whole phrases are words."""

_MENTION_OR_WORD = rf"@[\w.]+|{_WORD}"
"""A mention is found before the words in it, and left out then: one look at each text, not two."""

_EMOJI = (
    r"[\x{1F1E6}-\x{1F1FF}]{2}"  # a flag is two letters
    r"|[\p{Emoji_Presentation}\p{Extended_Pictographic}][\p{Emoji_Modifier}\x{FE0F}]*"
    r"(?:\x{200D}\p{Extended_Pictographic}[\p{Emoji_Modifier}\x{FE0F}]*)*"  # a family is several, joined
)


def questions_asked(comments: Frame, questions: Frame) -> pl.DataFrame:
    """
    Collect what the audience asked, in the chat or through TikTok's Q&A.

    A comment is a question if it has a question mark of any script. The same question
    asked again, whatever its case, marks and emoji around it, is one row.

    Args:
        comments: ``rec.comments``.
        questions: ``rec.questions``.

    Returns:
        One row per question, most askers first. Columns: text (str, as first asked),
        askers (u32, different people), times (u32), in_qa (bool; at least once through
        Q&A), first_at, last_at (datetime[us, UTC], our clock).
    """
    columns = ["seq", "received_at", "user_id", "text"]
    in_chat = comments.lazy().filter(pl.col("text").str.contains(_QUESTION_MARK)).select(columns)
    in_qa = questions.lazy().unique("question_id", keep="first", maintain_order=True).select(columns)
    same = pl.col("text").str.to_lowercase().str.replace(_PADDING_BEFORE, "").str.replace(_PADDING_AFTER, "")
    asked = (
        pl.concat([in_chat.with_columns(in_qa=False), in_qa.with_columns(in_qa=True)])
        .with_columns(same=same)
        .filter(pl.col("same") != "")
        .with_columns(is_repeated=pl.col("same").is_duplicated())
        .collect()
        .lazy()
    )
    # Most are asked once: they are rows as they are, and need no group.
    once = asked.filter(~pl.col("is_repeated")).with_columns(last_at="received_at")
    repeated = (
        asked.filter("is_repeated")
        .sort("seq")
        .group_by("same")
        .agg(
            pl.col("seq").first(),
            pl.col("text").first(),
            askers=pl.col("user_id").n_unique().cast(pl.UInt32),
            times=pl.len().cast(pl.UInt32),
            in_qa=pl.col("in_qa").any(),
            first_at=pl.col("received_at").min(),
            last_at=pl.col("received_at").max(),
        )
    )
    one = pl.lit(1, pl.UInt32)
    columns = ["seq", "text", "askers", "times", "in_qa", "first_at", "last_at"]
    return (
        pl.concat(
            [
                repeated.select(columns),
                once.with_columns(askers=one, times=one, first_at="received_at").select(columns),
            ]
        )
        .sort(["askers", "times", "seq"], descending=[True, True, False])
        .drop("seq")
        .collect()
    )


def word_counts(comments: Frame) -> pl.DataFrame:
    """
    Count words by how many people used them, so that one busy writer does not decide.

    Args:
        comments: ``rec.comments``.

    Returns:
        One row per word of at least four letters (two where a sign is a syllable or a
        word), most writers first. Columns: word (str, lower case), writers (u32),
        comments (u32). Mentions are left out.
    """
    words = pl.col("text").str.to_lowercase().str.extract_all(_MENTION_OR_WORD)
    return _counted(comments, words, "word").filter(~pl.col("word").str.starts_with("@"))


def emoji_counts(comments: Frame) -> pl.DataFrame:
    """
    Count emoji by how many people used them.

    Args:
        comments: ``rec.comments``.

    Returns:
        One row per emoji, most writers first; a flag or a joined family is one.
        Columns: emoji (str), writers (u32), comments (u32).
    """
    return _counted(comments, pl.col("text").str.extract_all(_EMOJI), "emoji")


def language_counts(comments: Frame) -> pl.DataFrame:
    """
    Count comments by the language TikTok took them for.

    Args:
        comments: ``rec.comments``.

    Returns:
        One row per language, most comments first. Columns: language (str; ``un`` is
        TikTok's word for unknown, and also stands for none given), comments (u32),
        share (f64, 0-1), writers (u32).
    """
    return (
        comments.lazy()
        .group_by(pl.col("language").replace("", "un"))
        .agg(comments=pl.len().cast(pl.UInt32), writers=pl.col("user_id").n_unique().cast(pl.UInt32))
        .with_columns(share=pl.col("comments") / pl.col("comments").sum())
        .select("language", "comments", "share", "writers")
        .sort(["comments", "language"], descending=[True, False])
        .collect()
    )


def _counted(comments: Frame, parts: pl.Expr, name: str) -> pl.DataFrame:
    """Count each part once per comment, whatever the number of times it is in there."""
    return (
        comments.lazy()
        .select("user_id", parts.list.unique().alias(name))
        .explode(name, empty_as_null=False)
        .drop_nulls(name)
        .group_by(name)
        .agg(writers=pl.col("user_id").n_unique().cast(pl.UInt32), comments=pl.len().cast(pl.UInt32))
        .sort(["writers", "comments", name], descending=[True, True, False])
        .collect()
    )
