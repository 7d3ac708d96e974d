"""Names and endings of the caption formats that are read; it loads none of their readers."""

# What is read, as people call it.
FURTHER_FORMATS = (
    "SBV, TTML, YouTube's XML, ASS, SAMI, LRC, MicroDVD, Whisper's JSON, TSV or log, "
    "a transcript with times or a table of start, end and text"
)
READ_FORMATS = f"SRT, WebVTT, json3, {FURTHER_FORMATS}"
# Endings of these, as files have them.
CAPTION_ENDINGS = (
    *(".srt", ".vtt", ".json3", ".json", ".jsonl", ".sbv", ".srv1", ".srv2", ".srv3", ".ttml", ".dfxp", ".itt", ".xml"),
    *(".ass", ".ssa", ".smi", ".sami", ".lrc", ".sub", ".tsv", ".csv", ".txt", ".log"),
)
