"""
What viewers write: invented comments in fifteen languages, with a live's habits.

Real chats are short, repeat themselves (30 % exact duplicates), mention each
other and ask. Lengths, emoji, mentions, right-to-left and zero-width shares
follow measurements of real rooms. Pure: the caller owns the random generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["LANGUAGES", "UNDETERMINED", "Language", "comment_text", "question_text"]

UNDETERMINED = "un"
"""What TikTok calls the language of a text too short to tell."""

COMMENT_CHARS_MAX = 150
"""TikTok's own limit for a comment."""

_ECHO_SHARE = 0.13
"""Comments that are a stock phrase. With chance repeats, 30 % are duplicates."""
_EMOJI_ONLY_SHARE = 0.045
_EMOJI_SHARE = 0.10
_ZERO_WIDTH_SHARE = 0.02
_LENGTHS = ("short", "question", "long", "rambling")
_LENGTH_WEIGHTS = (36, 28, 30, 6)
_UNDETERMINED_BELOW_CHARS = 13
_SECOND_THOUGHT_SHARE = 0.45
"""Comments that go on with a few words more; keeps exact duplicates near 30 %."""

EMOJI = (
    "😂",
    "❤️",
    "🔥",
    "😍",
    "👏",
    "🙏",
    "🥰",
    "😭",
    "💯",
    "✨",
    "🌹",
    "😅",
    "🤣",
    "👀",
    "🎉",
    "💀",
    "🫶",
    "👋🏽",
    "🇧🇷",
    "🧡",
)

STOCK_PHRASES = (
    "hi", "hello", "🔥", "lol", "❤️", "🌹", "hola", "wow", "first", "❤️❤️❤️", "hey", "gg", "😂😂", "yes", "no",
    "+1", "hallo", "oi", "salut", "ciao", "123", "go go go", "🔥🔥🔥", "W", "nice", "follow", "what", "ok",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Language:
    """
    One language of the audience.

    Attributes:
        code: As TikTok writes it, such as ``"en"``.
        weight: Share among viewers, relative to the others.
        topics: What a ``{}`` in the other lists can be.
        short: A word or two.
        questions: Things to ask the host.
        long: Statements of a sentence.
    """

    code: str
    weight: int
    topics: tuple[str, ...]
    short: tuple[str, ...]
    questions: tuple[str, ...]
    long: tuple[str, ...]


LANGUAGES = (
    Language(
        "en", 40,
        ("the lamp", "that jacket", "your guitar", "the blue mug", "this song", "the new camera",
         "that recipe",
         "your garden", "the second stream", "the big puzzle", "the microphone", "that painting",
         "your old setup",
         "the last episode", "this game", "the green chair"),
        ("love {}", "so good", "same here", "no way", "haha true", "good evening", "we need {}", "lets gooo",
         "back again", "that was close", "I missed you", "play it again", "can't hear you", "show {}"),
        ("where did you get {}?", "how long did {} take you?", "can you show {} again?",
         "what time is it there?",
         "is {} for sale?", "who made {}?", "will you do {} tomorrow?", "what inspired {}?",
         "how are you today?",
         "do you ever get tired of {}?", "which one is your favourite, {} or the first one?",
         "how do I start with something like {}?"),
        ("I have been watching since the start and {} is still my favourite",
         "greetings from a very rainy island",
         "my sister bought {} because of you", "please say happy birthday to my friend Olmira",
         "I finally finished mine, thank you for the tip about {}", "the sound is a bit low on my phone",
         "just came home from work, what did I miss", "{} looks better than last week"),
    ),
    Language(
        "es", 13,
        ("la lámpara", "esa canción", "tu guitarra", "la receta", "el juego nuevo", "la taza azul",
         "tu jardín",
         "el micrófono", "ese cuadro"),
        ("qué lindo", "saludos", "me encanta {}", "jajaja", "otra vez", "vamos", "buenas noches", "igual yo"),
        ("¿dónde compraste {}?", "¿puedes mostrar {} otra vez?", "¿cuánto tiempo llevas con {}?",
         "¿de dónde eres?", "¿a qué hora es el próximo directo?", "¿me saludas por favor?", "¿se vende {}?"),
        ("llegué tarde, ¿ya mostraste {}? me lo perdí", "un abrazo desde una ciudad con mucho viento",
         "mi hermana y yo te vemos todas las noches", "gracias por {}, me ayudó muchísimo"),
    ),
    Language(
        "de", 8,
        ("die Lampe", "das Lied", "deine Gitarre", "das Rezept", "das neue Spiel", "die blaue Tasse",
         "dein Garten"),
        ("guten Abend", "sehr schön", "haha genau", "mega", "bin dabei", "nochmal bitte",
         "grüße aus dem Norden"),
        ("wo hast du {} her?", "kannst du {} nochmal zeigen?", "wie lange machst du das schon?",
         "was kostet {} ungefähr?", "wann kommt der nächste Stream?", "welches Mikrofon benutzt du?"),
        ("ich schaue seit dem Anfang zu und finde {} immer noch am besten", "der Ton ist bei mir etwas leise",
         "danke für den Tipp, {} hat wirklich geholfen"),
    ),
    Language(
        "pt", 8,
        ("a lâmpada", "essa música", "o violão", "a receita", "o jogo novo", "a caneca azul", "o jardim"),
        ("boa noite", "que lindo", "kkkkk", "amei {}", "de novo", "manda um oi", "top demais"),
        ("onde você comprou {}?", "pode mostrar {} de novo?", "quanto tempo levou {}?", "de onde você é?",
         "que horas são aí?", "vai ter live amanhã?"),
        ("cheguei agora, o que eu perdi?", "assisto todo dia depois do trabalho, obrigada por {}",
         "um beijo de uma cidade bem pequena"),
    ),
    Language(
        "fr", 6,
        ("la lampe", "cette chanson", "ta guitare", "la recette", "le nouveau jeu", "la tasse bleue"),
        ("bonsoir", "trop bien", "j'adore {}", "mdr", "encore", "coucou", "pareil"),
        ("où as-tu trouvé {} ?", "tu peux remontrer {} ?", "depuis quand tu fais ça ?", "tu viens d'où ?",
         "c'est quand le prochain live ?"),
        ("je viens d'arriver, j'ai raté {} ?", "merci pour le conseil, ça marche très bien chez moi"),
    ),
    Language(
        "it", 4,
        ("la lampada", "questa canzone", "la chitarra", "la ricetta", "il gioco nuovo"),
        ("buonasera", "che bello", "ahahah", "ancora", "grande", "mi piace {}"),
        ("dove hai preso {}?", "mi saluti per favore?", "puoi rifare {}?", "quanto ci hai messo per {}?"),
        ("ti seguo da una settimana e {} è la mia parte preferita", "un saluto da un paese di montagna"),
    ),
    Language(
        "tr", 4,
        ("lamba", "bu şarkı", "gitar", "tarif", "yeni oyun"),
        ("selam", "çok güzel", "iyi akşamlar", "aynen", "bir daha", "süper"),
        ("{} nereden aldın?", "{} tekrar gösterir misin?", "nerelisin?", "yarın yayın var mı?"),
        ("işten yeni geldim, neler kaçırdım acaba", "{} için çok teşekkürler, gerçekten işime yaradı"),
    ),
    Language(
        "ar", 3,
        ("المصباح", "هذه الأغنية", "الوصفة", "اللعبة الجديدة"),
        ("مساء الخير", "جميل جدا", "ما شاء الله", "مرحبا", "مرة أخرى"),
        ("من أين اشتريت {}؟", "هل يمكنك عرض {} مرة أخرى؟", "من أي بلد أنت؟", "متى البث القادم؟"),
        ("أتابعك كل ليلة بعد العمل وشكرا على {}", "تحية من مدينة بعيدة على البحر"),
    ),
    Language(
        "he", 1,
        ("המנורה", "השיר הזה", "המתכון"),
        ("ערב טוב", "יפה מאוד", "שוב", "שלום"),
        ("איפה קנית את {}?", "אפשר לראות את {} עוד פעם?", "מתי השידור הבא?"),
        ("הגעתי עכשיו, מה פספסתי?", "תודה על {}, זה ממש עזר לי"),
    ),
    Language(
        "ja", 3,
        ("ランプ", "この曲", "ギター", "レシピ", "新しいゲーム"),
        ("こんばんは", "すごい", "かわいい", "なるほど", "もう一回", "初見です"),
        ("{}はどこで買いましたか？", "{}をもう一度見せてもらえますか？",
         "どこから配信していますか？",
         "次の配信はいつですか？"),
        ("仕事から帰ってきました、今日は何をしていますか", "{}のおかげで助かりました、ありがとうございます"),
    ),
    Language(
        "ko", 2,
        ("램프", "이 노래", "기타", "레시피"),
        ("안녕하세요", "대박", "예뻐요", "ㅋㅋㅋㅋ", "한번 더"),
        ("{} 어디서 샀어요?", "{} 다시 보여줄 수 있어요?", "다음 방송은 언제예요?"),
        ("퇴근하고 바로 왔어요, 뭐 놓쳤나요", "{} 덕분에 정말 도움이 됐어요"),
    ),
    Language(
        "ru", 4,
        ("лампу", "эту песню", "гитару", "рецепт", "новую игру"),
        ("всем привет", "красиво", "ахаха", "ещё раз", "супер", "добрый вечер"),
        ("где ты купил {}?", "можешь показать {} ещё раз?", "сколько у вас времени?",
         "когда следующий эфир?"),
        ("смотрю с самого начала, спасибо за {}", "привет из очень холодного города"),
    ),
    Language(
        "uk", 1,
        ("лампу", "цю пісню", "рецепт"),
        ("привіт усім", "дуже гарно", "ще раз", "добрий вечір"),
        ("де ти взяв {}?", "можеш показати {} ще раз?", "коли наступний ефір?"),
        ("щойно прийшла з роботи, що я пропустила?",),
    ),
    Language(
        "hi", 2,
        ("यह गाना", "वह लैंप", "नई रेसिपी"),
        ("नमस्ते", "बहुत बढ़िया", "फिर से", "शुभ रात्रि"),
        ("{} कहाँ से लिया?", "क्या {} फिर से दिखा सकते हो?", "अगला लाइव कब है?"),
        ("मैं रोज़ काम के बाद देखता हूँ, {} के लिए धन्यवाद",),
    ),
    Language(
        "id", 5,
        ("lampunya", "lagu ini", "gitarnya", "resepnya", "game baru"),
        ("halo kak", "keren banget", "wkwkwk", "lagi dong", "semangat", "mantap"),
        ("beli {} di mana kak?", "bisa tunjukin {} lagi?", "kakak dari kota mana?",
         "besok live lagi jam berapa?"),
        ("baru pulang kerja, tadi aku ketinggalan apa?", "makasih ya kak, {} sangat membantu"),
    ),
)  # fmt: skip

_RAMBLES = {
    "en": " and honestly I told everybody at work about it because nobody believed me",
    "es": " y la verdad es que se lo conté a todo el mundo porque nadie me creía",
    "de": " und ehrlich gesagt habe ich es allen erzählt weil es mir keiner geglaubt hat",
    "pt": " e na verdade contei pra todo mundo porque ninguém acreditava em mim",
    "ru": " и честно говоря я всем об этом рассказала потому что никто не верил",
}


def comment_text(rng: Random, language: Language, mention: str = "") -> tuple[str, str]:
    """
    Return a comment and the language TikTok would name for it.

    Args:
        rng: Where the variety comes from.
        language: The writer's.
        mention: Handle of somebody to address; empty for nobody.
    """
    roll = rng.random()
    if roll < _ECHO_SHARE:
        return rng.choice(STOCK_PHRASES), UNDETERMINED
    if roll < _ECHO_SHARE + _EMOJI_ONLY_SHARE:
        return rng.choice(EMOJI) * rng.choice((1, 2, 3, 3, 5)), UNDETERMINED
    kind = rng.choices(_LENGTHS, _LENGTH_WEIGHTS)[0]
    text = _sentence(rng, language, kind)
    if rng.random() < _EMOJI_SHARE:
        text += " " + rng.choice(EMOJI) * rng.choice((1, 2, 2, 3))
    if rng.random() < _ZERO_WIDTH_SHARE:
        # A joiner or a stray mark, as keyboards and copied texts leave them.
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(("\u200d", "\u200b", "\ufe0f", "\u0301", "\u2060")) + text[at:]
    code = UNDETERMINED if len(text) < _UNDETERMINED_BELOW_CHARS else language.code
    if mention:
        text = f"@{mention} {text}"
    return text[:COMMENT_CHARS_MAX], code


def question_text(rng: Random, language: Language) -> str:
    """Return something to ask the host."""
    return rng.choice(language.questions).format(rng.choice(language.topics))


def _sentence(rng: Random, language: Language, kind: str) -> str:
    topic = rng.choice(language.topics)
    if kind == "short":
        text = rng.choice(language.short).format(topic)
        text += rng.choice(("", "", "", "!", "!!", " :)", str(rng.randrange(1, 100))))
    elif kind == "question":
        text = rng.choice(language.questions).format(topic)
    else:
        text = rng.choice(language.long).format(topic)
    if kind == "rambling":
        text += _RAMBLES.get(language.code, " … " + rng.choice(language.long).format(topic))
    elif rng.random() < _SECOND_THOUGHT_SHARE:
        joint = rng.choice((" ", ", ", " … "))
        text += joint + rng.choice(language.short).format(rng.choice(language.topics))
    return text
