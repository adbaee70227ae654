// The exports of `ms` name no types, so that under NodeNext Temporal's `Duration` would be `any` and take
// 'banana'. The units that this project writes are enough.
declare module 'ms' {
  export type StringValue = `${number}${'' | ' '}${'ms' | 's' | 'm' | 'h' | 'd' | 'days'}`
}
