// The README shows it as a model of a user's own test.
await import('../../examples/policy-sync.test.js')
