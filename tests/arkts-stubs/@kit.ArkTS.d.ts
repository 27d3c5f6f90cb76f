export declare namespace taskpool {
  function execute(func: Function, ...args: Object[]): Promise<Object>;
}

export declare namespace util {
  class TextEncoder {
    constructor(encoding?: string);
    encodeInto(input?: string): Uint8Array;
  }

  class TextDecoder {
    static create(encoding?: string): TextDecoder;
    decodeToString(input: Uint8Array): string;
  }
}

export declare namespace url {
  class URL {
    constructor(url: string, base?: string | URL);
    readonly href: string;
  }
}
