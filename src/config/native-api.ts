/** Where the native API is served: at its own place, unless a dialect owns paths there. */
export class NativeApi {
  constructor(readonly path: `/${string}`) {}
}
