# Varnish in front of pulp-streamer: copy to /etc/varnish/default.vcl. What each line is for: docs/operate/varnish.md.
vcl 4.1;

backend streamer {
    .host = "127.0.0.1";
    .port = "8751";
    # As patient as the streamer, which looks for another source meanwhile.
    .connect_timeout = 5s;
    .first_byte_timeout = 300s;
    .between_bytes_timeout = 60s;
}

sub vcl_recv {
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    # What a file is does not depend on any of these, and Varnish would keep nothing because of them.
    unset req.http.Cookie;
    unset req.http.Authorization;
    set req.url = regsub(req.url, "\?.*$", "");
    return (hash);
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
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
