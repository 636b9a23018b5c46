"""
Whether a line of the chat asks something.

Two signs, in this order:

- A question mark of any script, behind words. A mark alone, behind an emoji, in a link
  or behind a single word does not count: ``what?!`` is a reaction and ``Paris?`` a guess.
  A few single words ask all the same (``age?``).
- Without a mark, which is how most people type: the words with which a question begins,
  in English, French, Spanish, Portuguese, German and Arabic. They count at the start of
  the line, after punctuation, and behind a greeting or one name. Each is listed with what
  must follow it, because ``how old`` asks and ``how cute`` does not.

The rules prefer silence: whatever else is asked in the chat can still be queued by hand.
"""

from __future__ import annotations

import re
import unicodedata

from toolkit.show.reading.folding import TEXT_MAX, fold, fold_stretched

__all__ = ["is_question"]

_MARKS = re.compile("[?؟？﹖⁇⁈⁉‽❓❔⸮՞፧꘏꛷𞥟]")
"""A full stop of Greek, which looks like a semicolon, is looked for in Greek only."""
_GREEK_MARK = re.compile(r"[Ͱ-Ͽἀ-῿]\s*[;\u037e]+\s*\W*$")
_CLAUSE = re.compile(r"([^,.!:;،؛。！，、…\n]+)([,.!:;،؛。！，、…\n]*)")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\S+\.[a-z]{2,}/\S*", re.IGNORECASE)
_MENTION = re.compile(r"@\S+")
_COMMAND = re.compile(r"\s*[!/]\w")

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts in which one word may be a sentence: Thai, Lao, Burmese, Khmer, Japanese, Chinese, Korean."""
_UNSPACED_LETTERS_MIN = 3

_ASKING_ALONE = r"""
    age|name|song|country|job|height|signo|edad|nombre|pais|idade|nome|alter|grosse|beruf|prenom|taille
        |metier
    |why|when|where|how|who|pourquoi|quand|combien|comment|ou|qui|cuando|donde|quien|quando|onde|quem
        |quanto|wann|wo|wer
    |warum|wieso|woher|wyd|hru|wya|wbu|hbu|wdym|insta|instagram|discord
    |عمرك|اسمك|وين|متي|ليش|لماذا|كيف|كيفك|مين|متزوجه
"""
"""Single words that ask with a mark. Of others nobody can tell a question from a guess."""

_REACTIONS = r"""
    no way|for real|oh really|say what|are you serious|you serious|fr fr|are you kidding(?: me)?
        |oh my god|my god
    |ah bon|c est vrai|mon dieu|pas possible|en serio|de verdad|no me digas|a poco|dios mio|no puede ser
    |o que|serio mesmo|e mesmo|meu deus|nao acredito|echt jetzt|im ernst|was denn
    |mein gott|wie bitte|na und
    |والله جد|عن جد|يا ربي?|يا الله|什么|真的|真的吗|真的假的|哈哈哈
    |本当|まじ|マジ|なに|なんで|진짜|진짜로|헐|뭐|อะไร|จริงหรอ|จริงดิ
"""
"""Short lines that end in a mark and ask nothing."""

_GREETINGS = r"""
    h+i+|h+e+y+|hello+|yo|sup|bro|sis|omg|please|pls|plz|so|and|but|ok|okay|wait|guys|girl|queen|king
        |sorry|um|oh|wow
    |bonjour|salut|coucou|slt|bjr|bonsoir|cc|wesh|dis|stp|svp|mais|et|alors|du coup|ma belle
    |hola+|holi+|oye|buenas(?: noches| tardes)?|buenos dias|amig[ao]|linda|hermosa|guapa|reina|pero|y
        |disculpa|una pregunta
    |o+i+|ola+|opa|gente|mano|mas|moca|gata|boa noite|bom dia|boa tarde|me diz|fala
    |hallo+|na|sag mal|und|aber|moin|servus|guten abend|guten morgen|ey|eine frage|mal eine frage
    |مرحبا|هلا|اهلا|السلام عليكم|سلام|والله|حبيبتي|حبيبي|اخي|اختي|يا \w+|لو سمحت\w*|طيب|هاي|مساء الخير
        |صباح الخير
"""
_NO_NAMES = r"""
    i|you|u|we|they|he|she|it|that|thats|this|know|like|love|never|always|tell|guess|see|exactly
        |remember|if|because
    |combien|comment|pourquoi|cause|just|not|no|idk|whatever|however|about|when|what|which|who|how|me
        |my|or
    |je|j|ne|sais|on|ou|quand|qui|comme|c|n|se|yo|te|lo|si|que|porque|para|cuando|donde|quien|como|sabe
        |creo|pienso|crois|pense|acho|penso|glaube|denke|think
    |eu|nao|sei|ja|quem|e|ich|weiss|das|ist|wenn|als|der|die|du|wie|was|wer|لا|ما|انا|من|كل|ان|في|عندما
"""
"""A first word that is one of these is no name: what follows depends on it."""

_ENGLISH = r"""
    (?:what|wht|wat) (?:is|are|do|does|did|was|were|r|u doing|time|kind|type|game|song|camera|country
        |city|happened
        |happens|if|about|colou?r|language|size|brand|year|day|part|level|music|rank|mic|should|would
        |will|can|the name)\b
        (?! (?:hell|heck|fuck)\b)
    |(?:whats|wats|what s|wat s) (?!up$)\w+
    |(?:what|wat) (?:you|u|ya|they) (?:doing|eating|think|playing|drinking|watching|want|mean|up
        |listening|cooking|making)\b
    |(?:what|wat|wh?ich) (?:\w+ ){1,2}(?:is|are|do|does|did|r|was) (?:that|this|you|u|it|those|these|he
        |she|your|ur|they)\b
    |wh?ich (?!is why|means|reminds|i\b)\w+|whose \w+
    |(?:who s|whos|who) (?:is|are|r|do|does|did|was|were|else|sings|sang|made|won|wants|has|can|that
        |this|behind|singing)\b
        (?! who\b)
    |(?:when|whens) (?:is|s|are|r|do|does|did|will|u|was|were|can|should|would|next|ur|your)\b
    |(?:where|wheres) (?:is|s|are|r|do|does|did|u|you|can|was|were|from|have|will|in|the|ur
        |your)\b(?! there\b)
    |(?:why|y) (?:is|are|r|do|does|did|dont|don|didn|isn|aren|u|you|so|was|were|would|can|have|has|s
        |d)\b
    |(?:how|hows) (?:old|tall|many|much|long|far|often|big|heavy|fast|come|do|does|did|is|are|r|u|you
        |ya|to|can|could|was
        |were|would|will|should|about|s|your|ur|the)\b(?! to (?:win|die)\b)
    |(?:do|did|can|could|will|would|have|should) (?:you|u|ya|he|she|they|i|anyone|anybody|someone
        |somebody)\b
    |(?:are|r|were) (?:you|u|ya|he|she|they|your|ur|those|these)\b(?! (?:kidding|joking)\b)
    |(?:is|was|does|has) (?:it|this|that|he|she|there|your|ur|the|anyone|anybody|someone)\b
    |any(?:one|body) (?:know|knows|else|here|from|has|have)\b
    |any (?:tips|advice|ideas?|chance|plans|news)\b
    |(?:you|u) from\b|(?:u|ru|you) (?:single|married)\b
    |(?:wdym|wyd|hru|wya|wbu|hbu)\b
"""
_FRENCH = r"""
    est ce qu?e?\b|qu ?est ce|kesk\w*|keske|c ?est (?:quoi|qui|quand(?! meme)|ou|combien|quel\w*)\b|c (?:quoi
        |qui|quand|ou)\b
    |comment (?:tu|vous|ca|t|on|s|va|vas|faire|faut|allez|je|faites|se|ils|as|fais|(?:il|elle
        |est) (?!est|trop|si)\w+)\b
    |(?:pourquoi|pourkoi|pk|pq) (?:tu|t|vous|il|elle|on|c|ca|ils|ta|ton|le|la|les|l|y|est|mon|ma|j|je
        |personne)\b
    |combien (?:tu|vous|ca|de (?!fois)|il|t|coute|d|as|y|mesure)
    |quand (?:est|sera|commence|finit|reviens|a lieu|vas|c est)\b
    |qui (?:est|es|a|sont|chante|joue|veut|t|peut|connait|sait)\b
    |quel(?:le)?s? (?:age|est|es|heure|sont|jeu|musique|chanson|langue|pays|ville|taille|genre|marque
        |type|temps|nom|jour
        |sport|metier|telephone|micro|camera|appli|niveau|couleur|film|serie|livre)\b
    |lequel|laquelle|lesquels
    |(?:tu|t|vous|il|elle|on|ca|ils|y a)(?: (?!pas\b|importe\b|sais\b|comme\b)\w+){1,4}
        (?: (?:quoi|combien|comment|quand|qui|pourquoi|pk|quel\w* \w+)\b(?: \w+){0,4}| ou)$
    |(?:tu|t|vous|il|elle|ils|elles|c|on) \w+ (?:d )?ou\b(?! (?:pas|non|alors|tu|bien|quoi|je|il|elle
        |on|vous)\b)
    |(?:as|es|peux|veux|fais|aimes|connais|joues|parles|viens|vas|sais|chantes|habites|penses|pourrais
        |vis|dors) tu\b
    |(?:avez|etes|pouvez|faites|allez|savez|aimez|parlez|venez|pourriez) vous\b
    |ou (?:est|es|tu|habites|sont|vis|as|vous|se|peut|trouver)\b|d ou (?:tu|viens|vous|est|t)\b
    |(?:a|jusqu a|vers) quelle heure|depuis (?:quand|combien)|(?:quelqu un|qqn) (?:connait|sait|a|peut
        |comprend)\b
    |ca va (?:toi|tout|vous|bien toi)\b
"""
_SPANISH = r"""
    cuant[oa]s \w+
    |cuanto (?:cuesta|mides|pesas|vale|tiempo|llevas|ganas|dura|falta|es|son|cobras|cuestan)\b
        |cuanto (?:te|le) (?:falta|cuesta|dura)\b|cuanta (?:gente|plata|agua|comida)\b
    |(?:de|por|a|en|desde|hasta) donde\b
    |donde (?:eres|vives|esta|estas|queda|compraste|puedo|es|fue|naciste|estudias|trabajas|andas|sale
        |consigo|viven)\b
    |como (?:estas|esta|estan|se|va|vas|le|haces|hago|puedo|fue|hiciste|aprendiste|es que|hacen)\b
    |como te (?:llamas|llama|va|fue|sientes|hiciste|encuentro|puedo|puedes|dicen|ha)\b
    |que (?:edad|haces|hora|horas|es|tal|significa|paso|pasa|opinas|piensas|juego|cancion|dia|signo
        |color|pais|haras|comes
        |musica|estudias|marca|celular|idioma|numero|quieres|prefieres|tipo|estas|vas|dijo|dijiste
        |tienes|onda|numero
        |te gusta|te paso|le paso|haran|camara|micro|\w+[ai]ste)\b
    |cuando (?:es|vuelves|haces|sera|cumples|vas|vienes|regresas|sale|empieza|termina|hay|juegas|subes
        |haras)\b
    |quien (?:es|eres|canta|gano|va|esta|son|te|sabe|mas|juega|fue)\b|quienes \w+
    |(?:por que|xq|xk|pq|por q) (?!si$|te (?:amo|quiero))\w+
    |cual(?:es)? (?:es|son|fue|era|prefieres|te|de)\b
    |(?:a|en|de|con|hasta|desde) (?:que|cual|quien|cuando) (?!no\b|te sirve)\w+|para que (?:sirve|es
        |haces|quieres|usas)\b
    |(?!(?:ya|no|yo|se) )\w+(?: (?!se )\w+){0,3} (?:donde|cuando|como|cuanto|quien) (?:esta|estas|es
        |vives|vas|sale|eres|se llama|te llamas)$
    |alguien (?:sabe|tiene|conoce|puede|mas|me)\b
    |(?:me )?(?:puedes|podrias|puede) (?:\w+[aei]r \w+|\w+[aei]r(?:me|nos|le|la|lo)\b)
    |me (?:puedes|podrias|puede) \w+[aei]r\b|me saludas\b
    |tienes (?:novi[oa]|hij[oa]s?|pareja|espos[oa]|herman[oa]s?|mascotas?|insta\w*|tiktok|face\w*
        |discord|whats\w*)\b
    |eres (?:soltera?|casad[oa]|soltero|de)\b
"""
_PORTUGUESE = r"""
    quant[oa]s \w+|quanto (?:vc|voce|tu|custa|tempo|e|eh|vale|mede|pesa|ganha|foi|ta|fica|falta|cobra
        |dura)\b
    |(?:de|por|pra|aonde|da) onde\b|(?:vc|voce|tu|ce) (?:e|eh|mora|vem|ta|esta)(?: de| da)? (?:onde|aonde)
    |a?onde (?:vc|voce|tu|ce|e|eh|fica|mora|comprou|ta|esta|foi|posso|nasceu|trabalha|estuda|assisto
        |compra)\b
    |qual (?:e|eh|o|a|seu|sua|teu|tua|foi|nome|vai|desses|signo|idade|jogo|musica|time|pais|cidade
        |celular|prefere|era)\b
    |(?:qual|que) \w+ (?:(?:vc|voce|tu)\b|(?:e|eh) (?:esse|essa|isso|este|esta)\b)|quais \w+
    |como (?:(?:vc|voce|tu|ce)(?! (?:e|eh|canta|e)\b)|ta|esta|se|faz|faco|foi|chama|e|eh|vai|voces
        |fazer)\b
    |cade\b \w+
    |(?:o que|oq|oque|o q) (?:e|eh|vc|voce|tu|aconteceu|ta|esta|significa|houve|foi|tem|acha|faz|fazer
        |ce|voces)\b
    |(?:por que|porque|pq|por q) (?:vc|voce|tu|ta|nao|esta|ele|ela|o|a|tao|parou|saiu|ce|voces)\b
    |quando (?:e|eh|volta|vai|sai|sera|comeca|acaba|tem|faz|foi|(?:vc|voce|tu) (?:volta|vai|faz|vem|sai
        |comeca|joga))\b
    |quem (?:e|eh|esse|essa|canta|ta|esta|ganhou|foi|sao|mais|vai|fez|te)\b
    |(?:\w+ ){1,5}que horas$|que (?:horas?|dia|jogo|musica|time|cidade|pais|signo|idade|lingua|marca)\b
    |(?:ate|desde|com|pra|em|de) (?:que|quando|quem|qual) (?!deus|te sirve|adianta)\w+
    |alguem (?:sabe|tem|conhece|pode|mais|viu)\b
    |(?:pode|podia|poderia|da pra|consegue) (?!crer|ser)(?:me )?\w+[aei]r \w+
"""
_GERMAN = r"""
    wie (?:alt|heisst|heissen|lange?|viel\w*|gross|oft|weit|spat|schnell|hoch|teuer|schwer|geht|gehts
        |lauft|machst|hast
        |bist|kann|kannst|komm\w*|war|wars|wird|nennt|sieht|findest|fandest|spielt|bekomm\w*
        |ist (?:dein|der|die|das))\b
        (?! ist das denn| ist das)
    |wieviele? \w+|(?:um|zu|fur|mit|seit|ab|bis) (?:wie|wieviel|was|wann|wem|wen|welche\w*) \w+
    |wo (?:wohnst|bist|kommst|ist|kann|lebst|hast|war|warst|gibt|findet|spielst|arbeitest|seid|sind
        |gehst|her|finde)\b
    |w(?:as|ie|o|ann|en|em|arum) (?:\w+ )?\w+st du\b|was fur (?:\w+ ){1,2}\w+st\b
    |(?:woher|wohin|warum|wieso|weshalb|wozu) (?!nicht$)\w+
    |wann (?:ist|hast|kommst|gehst|machst|geht|wird|war|bist|spielst|seid|beginnt|startet|fang\w*|kommt
        |gibt|streamst)\b
    |was (?:ist|machst|hast|isst|trinkst|spielst|sagst|denkst|meinst|bedeutet|kostet|passiert|kann
        |kannst|willst|war|sind
        |machen|macht|lauft|geht|arbeitest|studierst|findest|haltst|magst|soll|hat)\b
    |was fur (?:ein|eine|einen) (?:spiel|handy|lied|auto|hund|mikro\w*|kamera|song|instrument|marke
        |sprache|musik)\b
    |wer (?:ist|singt|hat|sind|bist|war|kommt|gewinnt|spielt|kann|macht|noch)\b
    |welche[rsnm]? \w+
    |(?!sonst\b|selbst\b|meist\b)\w+st du\b(?! \w+ ge\w+[tn]$)
    |(?:(?:darf|soll|konnte|durfte) (?:ich|man)|(?:kann|konnte) (?:man|jemand|mir|mich))\b
    |(?:weiss|kennt|hat|kann) jemand\b
    |geht ?(?:e?s) dir|ist das (?:live|echt|dein|ein)\b
"""
_ARABIC = r"""
    كم (?:عمر\w*|الساعه|سعر\w*|طول\w*|وزن\w*|سنه|عندك|ثمن|متابع\w*|اخ\w*|ولد|باقي|يكلف|تكلف|تبلغ
        |راتب\w*|مره|بقي)
    |(?:\w+ )?(?:من|منين|ب) ?(?:وين|اين|فين|اي (?:بلد|مدين\w+|دوله))\b|منين|(?:من )?اي (?:ساعه|بلد|يوم
        |دوله|مدينه|وقت)
    |شو (?!حلو|جميل|بحب|هال)\w+
    |(?:ايش|وش|شنو|اش|ويش) \w+
    |ما (?:اسم\w*|هو|هي|هذا|هذه|معني|رايك|لون)
    |ماذا [تي]\w+
    |\w+ (?:ايه|ايش|شنو|كام|مين|وين)$
    |كيف (?!ما\b)\w+|كيفك\w*|كيفكم|كيفاش
    |(?:وين|اين|فين|متي|امتي|امته|مين|منو) (?!ما\b|قد)\w+
    |(?:ليش|ليه|لماذا|علاش|هل|شكون|واش|قديش|اديش|بكم|شحال) \w+
    |شلون\w*|ازيك\w*|شخبار\w*|اخبارك\w*
    |ممكن ت\w+|ممكن سؤال
"""


def _pattern(*languages: str) -> re.Pattern[str]:
    # Written with a line end and an indent where the line was full: neither is part of it.
    beginnings = "|".join(f"(?:{_joined(language)})" for language in languages)
    greeting = rf"(?:(?:{_joined(_GREETINGS)}) )"
    name = rf"(?:(?!(?:{_joined(_NO_NAMES)}) )\w+ )"
    # A greeting may name somebody in two words: "salut beau gosse".
    return re.compile(rf"(?:{greeting}{{1,3}}{name}{{0,2}}|{name}?)(?:{beginnings})(?!\w)")


def _joined(pattern: str) -> str:
    return re.sub(r"\n\s*", "", pattern)


_ALONE = re.compile(_joined(_ASKING_ALONE))
_REACTION = re.compile(_joined(_REACTIONS))
_BEGINNING = _pattern(_ENGLISH, _FRENCH, _SPANISH, _PORTUGUESE, _GERMAN, _ARABIC)


def is_question(text: str) -> bool:
    """
    Return whether a line of the chat asks something that could be answered.

    Never raises, whatever the text; only its first :data:`TEXT_MAX` characters count.
    """
    text = text[:TEXT_MAX]
    if _COMMAND.match(text):
        return False
    text = _MENTION.sub(" ", _LINK.sub(" ", text))
    marks = list(_MARKS.finditer(text))
    if marks or _GREEK_MARK.search(text):
        return _asks_with_mark(text[: marks[-1].start()] if marks else text)
    # What is called out is no question: "are you kidding!!", "how old are you" is not called out.
    return any(
        _BEGINNING.match(fold_stretched(clause)) is not None
        for clause, end in _CLAUSE.findall(text)
        if "!" not in end and "！" not in end
    )


def _asks_with_mark(before: str) -> bool:
    """Return whether what stands before the last mark is more than a reaction."""
    words = fold(before).split()
    asked = " ".join(words)
    letters = sum(unicodedata.category(c)[0] == "L" for c in asked)
    if not letters or _REACTION.fullmatch(asked):
        return False
    if _UNSPACED.search(asked):
        return letters >= _UNSPACED_LETTERS_MIN
    if len(words) == 1:
        return _ALONE.fullmatch(asked) is not None
    return any(len(word) > 1 and not word.isdigit() for word in words)
