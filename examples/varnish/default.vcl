# Varnish in front of pulp-streamer: copy to /etc/varnish/default.vcl. docs/how-to/varnish.md
# explains it.
vcl 4.1;

import std;

backend streamer {
    .host = "127.0.0.1";
    .port = "8751";
    # The streamer may be silent for this long while it looks for another source.
    .connect_timeout = 5s;
    .first_byte_timeout = 15m;
    .between_bytes_timeout = 15m;
}

sub vcl_recv {
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    # Files do not depend on these fields, and with either of them Varnish would keep nothing.
    unset req.http.Cookie;
    unset req.http.Authorization;
    set req.url = regsub(req.url, "\?.*$", "");

    # Informs the streamer about HTTP/1.0 clients: behind Varnish they cannot distinguish a body
    # without a length that broke off from one that ended.
    if (req.proto == "HTTP/1.0") {
        set req.http.X-Hop = "1.0 varnish";
    } else {
        set req.http.X-Hop = "1.1 varnish";
    }
    if (req.http.Via) {
        set req.http.Via = req.http.Via + ", " + req.http.X-Hop;
    } else {
        set req.http.Via = req.http.X-Hop;
    }
    unset req.http.X-Hop;

    # Varnish answers several ranges with 416 or 503, so such a request and its answer pass unchanged.
    # HTTP/1.0 has no ranges.
    if (req.http.Range ~ "," && req.proto == "HTTP/1.1") {
        return (pipe);
    }
    # Varnish answers an invalid Range in the same way. The right answer is the whole (RFC 9110 section
    # 14.2).
    if (req.http.Range !~ "(?i)^bytes=(\d{1,15}-(\d{1,15})?|-0*[1-9]\d{0,14})$" ||
        std.integer(regsub(req.http.Range, "^.*=(\d+)-(\d+)$", "\1"), 0) > std.integer(regsub(req.http.Range, "^.*=(\d+)-(\d+)$", "\2"), 0)) {
        unset req.http.Range;
    }
    # Varnish ignores these conditions, and would send a part of another version.
    if (req.http.If-Match || req.http.If-Unmodified-Since) {
        return (pass);
    }
    # Metadata that changes under its name, if the client requires the newest: dnf sends no-cache, apt
    # max-age=0.
    if (req.url ~ "/(repomd\.xml|InRelease|Release|Packages|Sources|Contents-[^/]*|Translation-[^/]*|PULP_MANIFEST|\.?treeinfo)(\.\w+)*$" &&
        (req.http.Cache-Control ~ "(?i)\b(no-cache|max-age=0)\b" || req.http.Pragma ~ "(?i)\bno-cache\b")) {
        set req.hash_always_miss = true;
    }
    return (hash);
}

sub vcl_pipe {
    # Later requests on the connection would pass unchanged, too.
    set bereq.http.Connection = "close";
}

sub vcl_hash {
    # There is one site, whatever host clients name, so each file is kept once.
    hash_data(req.url);
    return (lookup);
}

sub vcl_miss {
    # Otherwise Varnish would fetch the whole file for its head.
    if (req.method == "HEAD") {
        return (pass);
    }
}

sub vcl_backend_response {
    # Clients receive bytes as they arrive. A part is sent as soon as it has arrived, while the whole is
    # fetched.
    set beresp.do_stream = true;
    # Expired files are not served: s-maxage demands that the streamer is asked. Varnish would serve
    # them for ten more seconds.
    set beresp.grace = 0s;
    # An expired file is revalidated with its entity tag for this long. That costs no transfer if the
    # file is unchanged.
    set beresp.keep = 7d;
    # Errors are not kept. For five seconds the clients of such a path do not wait for each other.
    if (beresp.http.Cache-Control ~ "no-store") {
        set beresp.uncacheable = true;
        set beresp.ttl = 5s;
        return (deliver);
    }
}

sub vcl_backend_error {
    # The streamer cannot be reached, or broke off. Varnish would answer with this for some seconds more
    # if others wait for the same file, though the streamer may be back.
    set beresp.uncacheable = true;
    set beresp.ttl = 5s;
    set beresp.grace = 0s;
}

sub vcl_deliver {
    # A date stands for exactly one version, as in the streamer: the next version may have an earlier
    # date.
    if (req.http.If-Modified-Since != resp.http.Last-Modified) {
        unset req.http.If-Modified-Since;
    }
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
