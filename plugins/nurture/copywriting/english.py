"""Function words: of English, and of the languages that copy could slip into."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH = _words(
    """
    a about above after again all also am an and any are as at back be because been before behind being between
    both but by can could did do does doing down each every few first for from get give had has have he help her
    here how i if in into is it its just keep know last less let like look made make makes many may me more most
    much my need never new next no not nothing now of off on once one only or our out over own please put right
    same see send shall she should show since so some still such take tell than thank thanks that the their them
    then there these they thing this those though through till to today together too under until up upon us use
    very want was way we well were what when where whether which while who whose why will with within without work
    would yet you your everything everyone everybody nobody whatever whoever whenever wherever beside inside
    outside despite during
    """
)
FOREIGN = (
    _words(
        """
        der das und ist nicht ein eine einen mit für auf sie wir ihr ihre sich auch wenn oder bei nach zum zur
        wird werden haben uns
        le la les des est une dans pour vous votre nous qui que avec sur pas plus sans aux ce cette vos
        el los las del una para con su sus por como más sin usted nuestro
        il gli della di che per sono non più dei nel alla vostro
        het een voor niet zijn wordt naar ook uw wij
        um com seu sua não mais dos das você
        och att det som för med är inte på av ni
        jest nie się dla oraz jak czy przez tego wasz
        ve bir için ile bu daha siz
        danke bitte gruß grüße herzlich freundlich bis bald viel erfolg ihnen dir vom beim
        merci bonjour bonsoir salut revoir bonne bientôt cordialement et du au mais très tout chez
        gracias hola adiós adios saludos saludo un una leer hasta luego buenos buenas muy pronto
        grazie mille ciao prego arrivederci saluti cordiali buongiorno buona giornata
        obrigado obrigada olá tchau bom dia até logo muito melhores cumprimentos
        dank groet groeten hartelijk wel ziens tot u
        tack hej hälsningar tak hilsen mange takk hei kiitos paljon terve moi
        dzięki zobaczenia dziękuję dziekuje proszę prosze cześć pozdrawiam dzień dobry
        děkuji dekuji prosím prosim nám nam ahoj děkujeme je
        köszönöm mulțumesc multumesc hvala pozdrav teşekkürler tesekkurler merhaba
        """
    )
    - ENGLISH
    - {
        "plus",
        "con",
        "des",
        "das",
        "per",
        "la",
        "le",
        "el",
        "su",
        "med",
        "dos",
        "com",
        "bu",
        "um",
        "ni",
        "av",
        "mange",
        "tout",
        "se",
        "na",
        "u",
        "tack",
        "dia",
        "bald",
    }
)
