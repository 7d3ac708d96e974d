import json
from collections import Counter
from dataclasses import replace

import av
import pytest

from crossmodal.demo import corpus, subtitles
from crossmodal.demo.recording import encode, perform
from crossmodal.demo.scripts import LABEL_OF_MOOD, Mood, all_scripts, parse
from crossmodal.demo.timeline import read_timeline, write_timeline
from pipeline.labels import LABELS
from pipeline.stages.captions import SEGMENTATION_POLICIES, read_captions, segment
from pipeline.stages.sentiment import LABEL_POLICIES, score_texts

SCRIPTS = {script.name: script for script in all_scripts()}


@pytest.fixture(scope="module")
def bakery():
    samples, rate_hz, timeline = perform(SCRIPTS["bakery"])
    return samples, rate_hz, timeline


def test_there_are_enough_interviews_in_both_splits_and_in_every_shape():
    splits = Counter(script.split for script in SCRIPTS.values())
    assert splits["train"] >= 9
    assert splits["test"] >= 3
    assert {script.media for script in SCRIPTS.values()} == {"m4a", "mp3", "webm"}
    for split in splits:
        shapes = {script.captions for script in SCRIPTS.values() if script.split == split}
        assert shapes == {"srt", "vtt", "rolling", "json3"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_interview_has_two_voices_all_moods_and_takes_one_to_two_minutes(name):
    script = SCRIPTS[name]
    _, _, timeline = perform(script)
    assert 60_000 <= timeline.duration_ms <= 120_000
    assert {sentence.speaker for sentence in timeline.sentences} == {"interviewer", "guest"}
    assert script.voices["interviewer"] != script.voices["guest"]
    assert {turn.mood for turn in script.turns} == set(Mood)


def test_the_three_classifiers_find_every_class_often_enough_in_both_splits():
    for split in ("train", "test"):
        sentences = [
            (turn.mood, text)
            for script in SCRIPTS.values()
            if script.split == split
            for turn in script.turns
            for text in turn.sentences
        ]
        scores = score_texts([text for _, text in sentences], LABEL_POLICIES["recommended"])
        found = Counter(score.label for score in scores)
        assert all(found[label] >= 8 for label in LABELS), found
        fitting = [LABEL_OF_MOOD[mood] == score.label for (mood, _), score in zip(sentences, scores, strict=True)]
        assert 0.6 < sum(fitting) / len(fitting) < 0.99  # some say in one mood what reads like another


@pytest.mark.parametrize("shape", ["srt", "vtt", "rolling", "json3"])
def test_captions_of_every_shape_give_the_script_back_as_it_was_spoken(shape, bakery, tmp_path):
    timeline = bakery[2]
    path = tmp_path / f"captions.{'vtt' if shape == 'rolling' else shape}"
    path.write_text(subtitles.WRITERS[shape](timeline), encoding="utf-8")
    track = read_captions(path)
    assert track.kind == ("automatic" if shape in ("rolling", "json3") else "manual")
    assert track.problems == ()
    spoken = segment(track, SEGMENTATION_POLICIES["recommended"], duration_ms=timeline.duration_ms)
    assert [u.text for u in spoken] == [s.text for s in timeline.sentences]
    for utterance, sentence in zip(spoken, timeline.sentences, strict=True):
        assert utterance.start_ms == sentence.start_ms
        assert sentence.end_ms - 700 <= utterance.end_ms <= sentence.end_ms + 700  # automatic ones know starts only


def test_times_of_words_stay_inside_their_sentence_and_in_order(bakery):
    for sentence in bakery[2].sentences:
        assert sentence.words[0].start_ms == sentence.start_ms
        assert sentence.words[-1].end_ms == sentence.end_ms
        for word, following in zip(sentence.words, sentence.words[1:], strict=False):
            assert word.start_ms < word.end_ms == following.start_ms


def test_the_mood_of_a_stretch_is_the_one_heard_longest(bakery):
    timeline = bakery[2]
    calm = next(s for s in timeline.sentences if s.mood == Mood.CALM)
    happy = next(s for s in timeline.sentences if s.mood == Mood.HAPPY)
    assert timeline.label_between(calm.start_ms, calm.end_ms) == "neutral"
    assert timeline.label_between(happy.start_ms - 500, happy.end_ms) == "positive"
    assert timeline.label_between(0, timeline.sentences[0].start_ms) is None


@pytest.mark.parametrize(("media", "codec"), [("m4a", "aac"), ("mp3", "mp3"), ("webm", "opus")])
def test_recordings_are_real_audio_files_of_the_right_length(media, codec, bakery, tmp_path):
    samples, rate_hz, _ = bakery
    ten_seconds = samples[: 10 * rate_hz]
    path = tmp_path / f"recording.{media}"
    encode(path, ten_seconds, rate_hz, media)
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name.startswith(codec)
        decoded = sum(frame.samples for frame in container.decode(stream)) / stream.rate
    assert decoded == pytest.approx(10, abs=0.15)


def test_recording_puts_three_files_in_place_and_does_it_once(demo_folder, small_corpus):
    seen: list[tuple[int, int]] = []
    corpus.record_all(lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 8)
    assert seen[-1] == (8, 8)
    assert len(list(demo_folder.iterdir())) == 24
    before = {path: path.stat().st_mtime_ns for path in demo_folder.iterdir()}
    corpus.record_all(lambda done, total: seen.append((done, total)))
    assert {path: path.stat().st_mtime_ns for path in demo_folder.iterdir()} == before


def test_a_changed_script_or_a_damaged_timeline_counts_as_not_recorded(demo_folder):
    script = parse("small", SCRIPTS["bakery"].source.partition("\nG calm")[0])
    corpus.record(script, demo_folder)
    assert corpus.is_recorded(script)
    assert not corpus.is_recorded(replace(script, source=script.source + "G calm: And one more.\n"))
    (demo_folder / corpus.timeline_name(script)).write_text(json.dumps({"fingerprint": "x"}))
    assert not corpus.is_recorded(script)


def test_a_timeline_is_read_as_it_was_written(bakery, tmp_path):
    write_timeline(tmp_path / "t.json", bakery[2])
    assert read_timeline(tmp_path / "t.json") == bakery[2]


@pytest.mark.parametrize(
    ("line", "message"), [("G bored: Well.", "cannot read 'G bored: Well.'"), ("X calm: Well.", "cannot read")]
)
def test_a_script_with_a_slip_is_refused_with_the_line(line, message):
    with pytest.raises(ValueError, match=message):
        parse("broken", SCRIPTS["bakery"].source + line)


def test_a_script_without_a_heading_is_refused():
    with pytest.raises(ValueError, match="headings are"):
        parse("broken", SCRIPTS["bakery"].source.replace("split: train\n", ""))
