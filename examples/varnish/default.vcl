# Varnish in front of pulp-streamer: copy to /etc/varnish/default.vcl. What each line is for: docs/how-to/varnish.md.
vcl 4.1;

import std;

backend streamer {
    .host = "127.0.0.1";
    .port = "8751";
    # As patient as the streamer, which looks for another source meanwhile.
    .connect_timeout = 5s;
    .first_byte_timeout = 15m;
    .between_bytes_timeout = 15m;
}

sub vcl_recv {
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    # What a file is does not depend on any of these, and Varnish would keep nothing because of them.
    unset req.http.Cookie;
    unset req.http.Authorization;
    set req.url = regsub(req.url, "\?.*$", "");

    # Tells the streamer of clients that speak HTTP/1.0: behind Varnish they cannot tell a body without a length that broke off from one that ended.
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

    # Varnish answers 416 or 503 to several ranges: it hands such a request and its answer on as they are. HTTP/1.0 knows no ranges.
    if (req.http.Range ~ "," && req.proto == "HTTP/1.1") {
        return (pipe);
    }
    # So it does to what is no range: the whole is the answer (RFC 9110 section 14.2).
    if (req.http.Range !~ "(?i)^bytes=(\d{1,15}-(\d{1,15})?|-0*[1-9]\d{0,14})$" ||
        std.integer(regsub(req.http.Range, "^.*=(\d+)-(\d+)$", "\1"), 0) > std.integer(regsub(req.http.Range, "^.*=(\d+)-(\d+)$", "\2"), 0)) {
        unset req.http.Range;
    }
    # Varnish does not know these conditions, by which a client has a part only of what it knows.
    if (req.http.If-Match || req.http.If-Unmodified-Since) {
        return (pass);
    }
    # Metadata that changes under its name, of a client that wants the newest: dnf says no-cache, apt max-age=0.
    if (req.url ~ "/(repomd\.xml|InRelease|Release|Packages|Sources|Contents-[^/]*|Translation-[^/]*|PULP_MANIFEST|\.?treeinfo)(\.\w+)*$" &&
        (req.http.Cache-Control ~ "(?i)\b(no-cache|max-age=0)\b" || req.http.Pragma ~ "(?i)\bno-cache\b")) {
        set req.hash_always_miss = true;
    }
    return (hash);
}

sub vcl_pipe {
    # What follows on the connection would be handed on as it is, too.
    set bereq.http.Connection = "close";
}

sub vcl_hash {
    # Whatever host clients name, there is one site, so each file is kept once.
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
    # Clients get what comes while it comes; a part is sent as soon as it is there, though the whole is fetched.
    set beresp.do_stream = true;
    # What is over is not served: s-maxage demands that the streamer be asked. Varnish would serve it for ten seconds more.
    set beresp.grace = 0s;
    # For so long what is over is asked for with its entity tag, which costs no transfer where it is still the same.
    set beresp.keep = 7d;
    # An error is never kept. For these seconds the clients of such a path do not wait for each other.
    if (beresp.http.Cache-Control ~ "no-store") {
        set beresp.uncacheable = true;
        set beresp.ttl = 5s;
        return (deliver);
    }
}

sub vcl_deliver {
    # A date says "the same" for this very date alone, as it does to the streamer: what is newer may carry an older one.
    if (req.http.If-Modified-Since != resp.http.Last-Modified) {
        unset req.http.If-Modified-Since;
    }
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
