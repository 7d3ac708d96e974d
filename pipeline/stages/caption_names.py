"""Names and endings of the caption formats that are read; it loads none of their readers."""

# What is read, as people call it.
READ_FORMATS = "SRT, WebVTT, json3, SBV, TTML, YouTube's XML, ASS, SAMI, LRC, MicroDVD or Whisper's JSON, TSV or log"
# Endings of these, as files have them.
CAPTION_ENDINGS = (
    *(".srt", ".vtt", ".json3", ".json", ".jsonl", ".sbv", ".srv1", ".srv2", ".srv3", ".ttml", ".dfxp", ".itt", ".xml"),
    *(".ass", ".ssa", ".smi", ".sami", ".lrc", ".sub", ".tsv", ".csv", ".txt", ".log"),
)
