"""The command `simmer`: rows in, aggregates out; a filter in a pipe, a statsd server, a way into Redis and the hail.

    rows    pipe: files and stdin | udp: packets, of rows or of statsd's lines
    stove   pot: states by key | hailing: events for the hail
    output  stdout: lines | shelf: values in Redis, merged with what is there

Neither Django nor Redis nor numpy is imported before somebody asks for what needs it.
"""
