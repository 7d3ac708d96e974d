"""The proxy in front of the web server: Caddy with the Caddyfile of this folder."""
