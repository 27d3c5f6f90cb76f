export declare namespace fileIo {
  namespace OpenMode {
    const READ_ONLY: number;
  }

  interface File {
    readonly fd: number;
  }

  interface Stat {
    readonly size: number;
  }

  function openSync(path: string, mode?: number): File;
  function statSync(file: string | number): Stat;
  function readSync(fd: number, buffer: ArrayBuffer): number;
  function closeSync(file: number | File): void;
}

export declare namespace picker {
  class DocumentViewPicker {
    select(): Promise<Array<string>>;
  }
}
