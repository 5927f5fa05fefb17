//! Each container gets a veth pair: one end in the container, the other one on the host.
//!
//! Who frees what: a driver frees what it gets, the request and the errors of calls that
//! it doesn't return, and drops the links that it owns. What it returns comes from malloc,
//! and the bindings free it.

const std = @import("std");
const c = @import("c");

const Error = c.wasmvark_driver_types_error_t;
const Request = c.wasmvark_driver_types_request_t;
const AddressOptions = c.wasmvark_driver_addresses_address_options_t;

/// A call failed, and its error stands where the driver's own one belongs.
const Failed = error{Failed};

/// Nobody else is on the link, so no address waits for duplicate address detection.
const own = AddressOptions{ .no_dad = true };
/// The host's routes are added one by one, so its addresses bring none.
const of_gateway = AddressOptions{ .no_dad = true, .no_prefix_route = true };

/// Checks a new network.
export fn exports_wasmvark_driver_handler_create(
    given: *c.exports_wasmvark_driver_handler_create_request_t,
    changes: *c.exports_wasmvark_driver_handler_list_network_change_t,
    err: *Error,
) bool {
    defer c.wasmvark_driver_types_create_request_free(given);
    if (given.network.subnets.len == 0) {
        err.tag = c.WASMVARK_DRIVER_TYPES_ERROR_INVALID;
        c.driver_string_dup(&err.val.invalid, "the network has no subnet: give --subnet");
        return false;
    }
    changes.len = 0;
    return true;
}

/// Connects a container.
export fn exports_wasmvark_driver_handler_setup(
    given: *Request,
    answer: *c.exports_wasmvark_driver_handler_setup_answer_t,
    err: *Error,
) bool {
    defer c.wasmvark_driver_types_request_free(given);
    answer.* = .{};
    connect(given, err) catch return false;
    return true;
}

/// Does nothing: the host undoes what `setup` did.
export fn exports_wasmvark_driver_handler_teardown(given: *Request, _: *Error) bool {
    c.wasmvark_driver_types_request_free(given);
    return true;
}

fn connect(given: *Request, err: *Error) Failed!void {
    var options = c.wasmvark_driver_links_veth_options_t{
        .mac = .{ .is_some = given.mac.is_some, .val = given.mac.val },
        .mtu = .{ .is_some = given.network.mtu.is_some, .val = given.network.mtu.val },
    };
    var pair: c.wasmvark_driver_links_veth_pair_t = undefined;
    try check(c.wasmvark_driver_links_create_veth(&options, &pair, err));
    defer c.wasmvark_driver_links_link_drop_own(pair.host);
    defer c.wasmvark_driver_links_link_drop_own(pair.container);
    try configureHost(c.wasmvark_driver_links_borrow_link(pair.host), given, err);
    try configureContainer(c.wasmvark_driver_links_borrow_link(pair.container), given, err);
}

fn configureHost(
    link: c.wasmvark_driver_links_borrow_link_t,
    given: *Request,
    err: *Error,
) Failed!void {
    for (given.network.subnets.ptr[0..given.network.subnets.len]) |subnet| {
        if (subnet.gateway.is_some) try addAlone(link, subnet.gateway.val, err);
    }
    try check(c.wasmvark_driver_links_set_up(link, err));

    var through = c.wasmvark_driver_routes_route_options_t{ .link = .{ .is_some = true } };
    c.wasmvark_driver_links_method_link_name(link, &through.link.val);
    defer c.driver_string_free(&through.link.val);
    for (given.host_routes.ptr[0..given.host_routes.len]) |*route| {
        try check(c.wasmvark_driver_routes_add(
            c.WASMVARK_DRIVER_TYPES_NAMESPACE_HOST,
            route,
            &through,
            err,
        ));
    }
}

fn configureContainer(
    link: c.wasmvark_driver_links_borrow_link_t,
    given: *Request,
    err: *Error,
) Failed!void {
    for (given.addresses.ptr[0..given.addresses.len]) |*address| {
        var options = own;
        try check(c.wasmvark_driver_addresses_add(link, address, &options, err));
    }
    try check(c.wasmvark_driver_links_set_up(link, err));
    for ([_]c.wasmvark_driver_types_list_route_t{ given.default_routes, given.routes }) |routes| {
        for (routes.ptr[0..routes.len]) |*route| {
            try check(c.wasmvark_driver_routes_add(
                c.WASMVARK_DRIVER_TYPES_NAMESPACE_CONTAINER,
                route,
                null,
                err,
            ));
        }
    }
}

/// Adds an address alone (/32, /128) to the host's end.
fn addAlone(
    link: c.wasmvark_driver_links_borrow_link_t,
    address: c.driver_string_t,
    err: *Error,
) Failed!void {
    const text = address.ptr[0..address.len];
    const end = std.mem.indexOfScalar(u8, text, '/') orelse text.len;
    const is_v6 = std.mem.indexOfScalar(u8, text, ':') != null;
    var buffer: [64]u8 = undefined;
    const alone = std.fmt.bufPrint(&buffer, "{s}/{s}", .{
        text[0..end],
        if (is_v6) "128" else "32",
    }) catch unreachable;
    var string = c.driver_string_t{ .ptr = alone.ptr, .len = alone.len };
    var options = of_gateway;
    try check(c.wasmvark_driver_addresses_add(link, &string, &options, err));
}

fn check(done: bool) Failed!void {
    if (!done) return error.Failed;
}
