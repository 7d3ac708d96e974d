"""Names in front of words: who speaks, and no part of what is said."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.captions import SegmentationPolicy, read_captions, segment
from tests.stages.shown import RECOMMENDED, SEED, every, recommended, spoken, track_of

FIRST, SECOND, THIRD = "Where were you on that day?", "I was at work until nine.", "And the bus was late?"


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize("form", ["srt", "vtt"])
@pytest.mark.parametrize(
    ("label", "one", "other"),
    [
        ("{}:", "Joy Miller", "Sam Green"),
        ("{}:", "INTERVIEWER", "GRACE"),
        ("{}:", "Dr. Smith", "J. R. Smith"),
        ("{}:", "THE PRESIDENT", "Interviewer 2"),
        ("{}:", "Q", "A"),
        ("{}:", "Müller", "Jürgen Østergård"),
        ("{}:", "SPEAKER_00", "SPEAKER_01"),
        ("{}:", "Ludwig van Beethoven", "Charles de Gaulle"),
        ("{}:", "李明", "王芳"),
        ("{} (on phone):", "MAN", "WOMAN"),
        ("[{}]:", "SPEAKER_00", "SPEAKER_01"),
        ("({})", "speaker 0", "speaker 1"),
        ("({})", "speaker ?", "speaker 1"),
        ("[{}]\n", "Speaker 1", "Speaker 2"),
        ("[{}]", "man", "woman on phone"),
        ("({})", "narrator", "boy 2"),
        ("({}):", "Joy", "Sam"),
        ("[{}]", "Joy Miller", "Sam"),
        ("({})", "JOY", "SAM"),
        ("- {}:", "Joy", "Sam"),
        (">> {}:", "JOY", "SAM"),
        (">>{}:", "JOY", "SAM"),
        ("<b>{}:</b>", "Joy", "Sam"),
        ("{}:\n", "JOY", "SAM"),
    ],
)
def test_a_name_before_the_words_is_who_speaks(label, one, other, form, policy):
    texts = [f"{label.format(name)} {said}" for name, said in ((one, FIRST), (other, SECOND), (one, THIRD))]
    utterances = segment(track_of(every(3000, texts), form), policy)
    assert spoken(utterances) == [(one, FIRST), (other, SECOND), (one, THIRD)]


@pytest.mark.parametrize("lead", ["Key Point", "Life Lesson", "Psalm 23", "Spoiler Alert", "Fun Fact", "Good News"])
def test_what_leads_in_a_sentence_is_said(lead: str) -> None:
    texts = [f"{lead}: {FIRST}", f"{lead}: {SECOND}", THIRD]
    assert spoken(recommended(every(3000, texts))) == [("", text) for text in texts]


def test_names_of_two_words_that_are_there_once_are_names_among_capitals() -> None:
    turns = [("JOY", FIRST), ("MAN 2", SECOND), ("SAM", THIRD), ("JOY", SECOND), ("REPORTER ON TV", FIRST)]
    heads = ["JOY", "MAN 2", "SAM (ON PHONE)", "JOY", "REPORTER ON TV"]
    cues = every(3000, [f"{head}: {said.upper()}" for head, (_, said) in zip(heads, turns, strict=True)])
    assert spoken(recommended(cues)) == [(name, said.upper()) for name, said in turns]
    lesson = "THE LESSON: NEVER BUILD A DAM."
    assert spoken(recommended([*cues, (15_000, 18_000, lesson)]))[-1][1] == lesson


def test_names_of_accounts_are_names_where_nearly_all_cues_have_one() -> None:
    turns = [
        ("Joy Miller", FIRST),
        ("iPhone von Jürgen", SECOND),
        ("jsmith42", THIRD),
        ("Joy Miller", SECOND),
        ("jsmith42", FIRST),
        ("iPhone von Jürgen", THIRD),
    ]
    assert spoken(recommended(every(3000, [f"{name}: {said}" for name, said in turns]))) == turns


def test_a_dash_divides_where_a_name_took_the_place_of_the_other() -> None:
    cues = every(5000, [f"[Joy] {FIRST}", f"-[Joy] {SECOND}\n-{THIRD}", f"[Joy] {THIRD}"])
    assert spoken(recommended(cues))[1:] == [("Joy", SECOND), ("", THIRD), ("Joy", THIRD)]


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
def test_a_voice_is_who_speaks(policy):
    texts = [f"<v Joy Miller>{FIRST}", f"<v Sam>{SECOND}</v>", f"<v.loud Joy Miller>{THIRD}"]
    utterances = segment(track_of(every(3000, texts), "vtt"), policy)
    assert spoken(utterances) == [("Joy Miller", FIRST), ("Sam", SECOND), ("Joy Miller", THIRD)]


def test_the_first_voice_is_told_of_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    path.write_text(
        f"WEBVTT\n\n00:00.000 --> 00:03.000\n<v Joy Miller>{FIRST}\n\n00:03.000 --> 00:06.000\n<v Sam>{SECOND}\n"
    )
    assert spoken(segment(read_captions(path), RECOMMENDED)) == [("Joy Miller", FIRST), ("Sam", SECOND)]


def test_a_voice_that_is_named_later_did_not_speak_before():
    texts = ["Somebody said this before.", f"<v Sam>{SECOND}"]
    assert spoken(recommended(every(3000, texts), "vtt")) == [("", texts[0]), ("Sam", SECOND)]


@pytest.mark.parametrize(
    "texts",
    [
        ["Remember this: we won", "And he said: no", "We left at", "12:30: we left"],
        ["Note: this is good", "Question: who is it?", "Note: that is good", "Question: who else?"],
        ["http://a.b: yes it is", "See www.a.b: all of it", "http://a.b: no it is not"],
        ["He said: go home now.", "She said: stay here.", "He said: I will not."],
        ["Step 1: open the box.", "Step 2: take it out.", "Step 1: open it again."],
        ["[Laughing] I know it.", "[Laughing] So do we all.", "(sighs) Well, that is it.", "(sighs) There you go."],
        ["[MUSIC PLAYING] Come in.", "[MUSIC PLAYING] Come in, please.", "[Applause] Thank you all."],
        ["INTERVIEWER: this is there once.", "All others have none.", "And so it goes on."],
        ["It is 3:2: we won it.", "It is 3:2: we lost it.", "At 10:30: nothing."],
    ],
)
def test_what_only_looks_like_a_name_is_speech(texts):
    track = track_of(every(3000, texts))
    said = " ".join(u.text for u in segment(track, SEED))
    assert said == " ".join(texts)
    assert {u.speaker for u in segment(track, RECOMMENDED)} == {""}


def test_what_stands_once_among_names_is_a_name_only_in_their_form():
    texts = ["Joy Miller: Come in.", "Sam Green: Thank you.", "Joy Miller: Remember: we won.", "Note: all is well."]
    assert [speaker for speaker, _ in spoken(segment(track_of(every(3000, texts)), SEED))] == [
        "Joy Miller",
        "Sam Green",
        "Joy Miller",
        "Joy Miller",
    ]


def test_a_speaker_goes_on_until_somebody_else_does():
    texts = ["[SPEAKER_00]: These machines are", "[SPEAKER_00]: quite good.", "So I think.", ">> I do not.", "Well."]
    assert spoken(recommended(every(3000, texts))) == [
        ("SPEAKER_00", "These machines are quite good."),
        ("SPEAKER_00", "So I think."),
        ("", "I do not."),
        ("", "Well."),
    ]


def test_another_speaker_in_the_middle_of_a_line_divides_it():
    texts = ["SAM: Hello to you. ANN: Hi. SAM: How are you?", "ANN: Fine, thanks."]
    assert spoken(recommended(every(9000, texts))) == [
        ("SAM", "Hello to you."),
        ("ANN", "Hi."),
        ("SAM", "How are you?"),
        ("ANN", "Fine, thanks."),
    ]
    assert spoken(segment(track_of(every(9000, texts)), SEED))[0] == ("SAM / ANN", "Hello to you. Hi. How are you?")


def test_sounds_before_and_behind_a_name_stay_sounds():
    texts = ["[door slams] JOHN: Who is there?", "JOHN: (whispering) Is it you?", "MARY: [laughs] Of course it is."]
    assert spoken(recommended(every(3000, texts))) == [
        ("JOHN", "Who is there?"),
        ("JOHN", "Is it you?"),
        ("MARY", "Of course it is."),
    ]


def test_a_song_is_a_tag_whoever_sings_it():
    texts = [
        "♪ ANN: la la la ♪",
        "ANN: ♪ la la ♪ I like that song.",
        "♪ la ♪ BOB: So do I, really.",
        "ANN: Good to know.",
    ]
    assert spoken(recommended(every(3000, texts))) == [
        ("", "♪ ANN: la la la ♪"),
        ("ANN", "I like that song."),
        ("BOB", "So do I, really."),
        ("ANN", "Good to know."),
    ]


def test_names_among_words_with_times_are_told_too():
    text = "JOHN: I said that it was good. MARY: No it was not good at all. JOHN: Yes it was so."
    words = text.split()
    assert spoken(recommended(every(400, words))) == [
        ("JOHN", "I said that it was good."),
        ("MARY", "No it was not good at all."),
        ("JOHN", "Yes it was so."),
    ]


def test_names_roll_with_their_lines():
    lines = [
        "JOY: DID YOU SEE HER THAT NIGHT",
        "SAM: NO, I WAS NOT AT HOME",
        "AND NOBODY TOLD ME",
        "JOY: I SEE THAT NOW",
    ]
    cues = every(2500, ["\n".join(lines[max(0, n - 1) : n + 1]) for n in range(4)])
    assert spoken(recommended(cues)) == [
        ("JOY", "DID YOU SEE HER THAT NIGHT"),
        ("SAM", "NO, I WAS NOT AT HOME AND NOBODY TOLD ME"),
        ("JOY", "I SEE THAT NOW"),
    ]


names = st.sampled_from(["Joy Miller", "SAM", "SPEAKER_00", "Dr. Smith"])
said = st.sampled_from(["We went home.", "and so it was", "No!", "[Music] well then", "I said: no"])


@settings(deadline=None)
@given(st.lists(st.tuples(names, said), min_size=1, max_size=10), st.sampled_from(["{}: {}", ">> {}: {}", "- {}: {}"]))
def test_no_utterance_has_two_speakers_and_no_word_is_lost(turns, form):
    turns = [*turns, *((name, "We went home.") for name in ("Joy Miller", "SAM", "Dr. Smith", "SPEAKER_00") * 2)]
    # The same text in touching cues is one cue.
    turns = [(name, f"{text} {number}") for number, (name, text) in enumerate(turns)]
    track = track_of(every(3000, [form.format(name, text) for name, text in turns]))
    utterances = segment(track, RECOMMENDED)
    assert (
        " ".join(u.text for u in utterances).split()
        == " ".join(text.replace("[Music] ", "") for _, text in turns).split()
    )
    for utterance in utterances:
        within = {name for n, (name, _) in enumerate(turns) if utterance.start_ms < 3000 * n + 3000 <= utterance.end_ms}
        assert within <= {utterance.speaker}


@pytest.mark.shared_data
@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize("name", ["speaker_names.vtt", "speaker_capitals.srt", "speaker_brackets.srt"])
def test_no_name_is_in_a_text(shared_data: Path, name: str, policy: SegmentationPolicy) -> None:
    utterances = segment(read_captions(shared_data / "field" / name), policy)
    speakers = [u.speaker for u in utterances]
    assert all(speakers)
    assert len(set(speakers)) == 2
    assert not any(speaker in u.text or ":" in u.text for u in utterances for speaker in speakers)
