;; A core module, no component.
(module
  (memory (export "memory") 1)
  (func (export "create") (param i32) (result i32) (i32.const 0))
  (func (export "setup") (param i32) (result i32) (i32.const 0))
  (func (export "teardown") (param i32) (result i32) (i32.const 0)))
