export declare enum TestType {
  FUNCTION = 0x1,
}

export declare enum Size {
  SMALLTEST = 0x1 << 16,
  MEDIUMTEST = 0x1 << 17,
  LARGETEST = 0x1 << 18,
}

export declare enum Level {
  LEVEL0 = 0x1 << 24,
  LEVEL1 = 0x1 << 25,
}

export interface Assert {
  assertContain(expected: Object): void;
  assertEqual(expected: Object): void;
  assertFalse(): void;
  assertLarger(expected: number): void;
  assertLargerOrEqual(expected: number): void;
  assertLessOrEqual(expected: number): void;
  assertTrue(): void;
  assertUndefined(): void;
}

export declare function expect(actual?: Object): Assert;
export declare function describe(name: string, body: Function): void;
export declare function it(name: string, filter: number, body: Function): void;
