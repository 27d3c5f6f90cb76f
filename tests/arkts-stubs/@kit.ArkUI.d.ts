import { AsyncCallback } from '@kit.BasicServicesKit';

export declare namespace window {
  interface WindowStage {
    loadContent(path: string, callback: AsyncCallback<void>): void;
  }
}

export declare namespace router {
  interface RouterOptions {
    url: string;
  }
  function pushUrl(options: RouterOptions): Promise<void>;
  function back(): void;
}
