"""Texts that are hardly English are told from those that are."""

import csv
from pathlib import Path

import pytest

from pipeline.stages.english import LEAST_WORDS, hint_on_language

FOREIGN = {
    "German": "Ich habe gestern mit meiner Schwester gesprochen, und sie war so froh, dass wir "
    "endlich wieder nach Hause "
    "kommen. Das Wetter ist schön, aber im Winter war es hier sehr kalt.",
    "German with English words": "Na ja, was soll man da sagen? Das war also ein Test, und man "
    "hat in der Firma gesagt, "
    "so ein Problem kann man an einem Tag lösen. Am Ende war die Software fertig, super!",
    "French": "On a vu le film hier, on est restés tard et moi je pense que c’est important de parler de la situation, "
    "donc voilà, c’est bon.",
    "Spanish": "Yo creo que es un problema de todos y no me gusta nada, pero bueno, así es la vida y hay que seguir "
    "adelante, ¿no?",
    "Portuguese": "Olha, eu acho que é um problema de todos, não gosto nada disso mas é a "
    "vida, a gente tem que seguir.",
    "Dutch": "We waren daar met de hele familie en het was zo koud dat we niet naar buiten wilden, maar toen kwam oma.",
    "Italian": "Non so perché sia andato via senza salutare, ma abbiamo passato una bella "
    "serata con gli amici giù al mare.",
    "Danish": "Jeg ved ikke hvorfor han gik uden at sige farvel, men vi havde en dejlig aften "
    "med vores venner, og for os "
    "var det godt.",
    "Urdu in Latin letters": "aap kaise hain? main theek hoon, bas thora kaam tha office mein "
    "is liye late ho gaya, sorry "
    "yaar, chalo kal milte hain.",
    "Russian": "Я не знаю, почему он ушёл, не попрощавшись, но мы провели очень хороший вечер с друзьями в ресторане у "
    "вокзала.",
    "Chinese": "我不知道他为什么没有说再见就走了，但是我们和朋友们在车站附近的小餐馆度过了一个非常愉快的夜晚。",
    "Japanese": "彼がなぜさよならも言わずに去ったのか分かりませんが、私たちは駅の近くで楽しい夜を過ごしました。",
    "Arabic": "لا أعرف لماذا غادر دون أن يقول وداعا لكننا قضينا أمسية جميلة جدا مع الأصدقاء في المطعم الصغير بالقرب من "
    "المحطة في المدينة",
}
ENGLISH = [
    "So I went to the mela with my cousins and we had gol gappay, they were so good, then Ammi "
    "called and said come home.",
    "Kowalczyk and Nakamura met Okonkwo in Szczecin, then Björk sang Jóga in Reykjavík while "
    "we listened with Thandiwe.",
    "We deploy kubernetes clusters with terraform and ansible, then grafana shows prometheus "
    "metrics while the devs are "
    "refactoring the frontend.",
    "uh yeah i dunno it's like you know we kinda went there and um he didn’t wanna go cause it’s too far i guess",
    "I don`t know, it wasn´t their fault that we couldn′t find the house before it was dark and nobody was there",
]


@pytest.mark.parametrize("language", FOREIGN)
def test_another_language_is_told(language):
    assert hint_on_language([FOREIGN[language]]).startswith("This is hardly English: ")
    assert hint_on_language(FOREIGN[language].split()) == hint_on_language([FOREIGN[language]])


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_english_with_names_jargon_slang_and_any_apostrophe(text):
    assert hint_on_language([text]) == ""


def test_a_few_words_tell_nothing():
    assert hint_on_language(["Je ne sais pas pourquoi il est parti."]) == ""
    assert hint_on_language(["sais"] * (LEAST_WORDS - 1)) == ""
    assert hint_on_language(["sais"] * LEAST_WORDS) != ""
    assert hint_on_language([]) == ""


@pytest.mark.shared_data
def test_no_stretch_of_real_english_speech_is_taken_for_another_language(shared_data):
    with (shared_data / "text_sentiment" / "meld_dev.csv").open(encoding="utf-8", newline="") as file:
        lines = [row["Utterance"] for row in csv.DictReader(file)]
    assert [lines[n : n + 6] for n in range(0, len(lines), 3) if hint_on_language(lines[n : n + 6])] == []


@pytest.mark.shared_data
def test_texts_of_2019_without_stop_words_are_english(shared_data):
    texts: list[str] = []
    for path in sorted((shared_data / "seed2019" / "polarity_train").iterdir()):
        texts += [row[-1] for row in csv.reader(path.open(encoding="utf-8", newline="")) if row]
    assert len(texts) > 100
    assert [n for n in range(len(texts)) if hint_on_language(texts[n : n + 8])] == []


def test_the_demonstration_is_english():
    folder = Path(__file__).parents[2] / "crossmodal" / "demo" / "interviews"
    assert [path.name for path in folder.iterdir() if hint_on_language([path.read_text(encoding="utf-8")])] == []
