"""Which language a text is in, where its letters tell, and where they do not."""

import pytest

from webapp.lib.language_detection import language_of


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ko", "오늘 연습은 취소되었습니다."),
        ("ko", "K-pop 노래를 함께 불러요"),
        ("ja", "明日の練習は七時からです。"),
        ("ja", "コンサート"),
        ("zh", "明天的排练七点开始。"),
        ("el", "Η πρόβα αρχίζει στις επτά."),
        ("he", "החזרה מתחילה בשבע."),
        ("th", "พรุ่งนี้มีซ้อม"),
        ("hy", "Վաղը փորձ կա"),
        ("ka", "ხვალ რეპეტიციაა"),
        ("ta", "நாளை ஒத்திகை"),
        ("ru", "Завтра мы репетируем в семь."),
        ("uk", "Завтра репетиція о сьомій, її почне Ольга."),
        ("ar", "تبدأ التدريبات في السابعة"),
        ("", "The rehearsal is at seven."),
        ("", "La répétition est à sept heures, à côté du café."),
        ("", "Die Probe fällt aus, schöne Grüße"),
        ("", "Репетиция утре в седем"),
        ("", "Проба је сутра у седам, ђаци"),
        ("", "Бүгін жаттығу жоқ, ертең кездесеміз, ыңғайлы"),
        ("", "تمرین فردا ساعت هفت است"),
        ("", "कल सात बजे अभ्यास है"),
        ("", "We sang 아리랑 at the end of the evening"),
        ("", ""),
        ("", "12:30 — 14:00 ✨"),
    ],
)
def test_language_is_detected_by_letters_or_unknown(language, text):
    assert language_of(text) == language
