;; A driver whose setup grows a table until it is refused, then traps.
(module
  (memory (export "memory") 1)
  (table $table 0 funcref)

  ;; Each answer lies at 64, all zeros: success, with empty lists.
  (func (export "wasmvark:driver/handler@0.3.0#create") (param i32) (result i32) (i32.const 64))
  (func (export "wasmvark:driver/handler@0.3.0#setup") (param i32) (result i32)
    (loop $more
      (br_if $more
        (i32.ne
          (table.grow $table (ref.null func) (i32.const 65536))
          (i32.const -1))))
    unreachable)
  (func (export "wasmvark:driver/handler@0.3.0#teardown") (param i32) (result i32) (i32.const 64))

  ;; Room for what the host hands over: one page, never freed.
  (global $free (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32) (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at)))
