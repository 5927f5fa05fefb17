;; A driver in all respects, but it wants a function that is no call.
(module
  (import "evil:host/exec" "run" (func $run (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "id")

  ;; Each answer lies at 64, all zeros: success, with empty lists.
  (func (export "wasmvark:driver/handler@0.3.0#create") (param i32) (result i32) (i32.const 64))
  (func (export "wasmvark:driver/handler@0.3.0#setup") (param i32) (result i32)
    (call $run (i32.const 0) (i32.const 2))
    (i32.const 64))
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
