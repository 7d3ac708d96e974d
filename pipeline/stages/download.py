"""URL to audio and caption files, with yt-dlp."""
