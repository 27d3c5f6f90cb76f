import { window } from '@kit.ArkUI';

export interface Want {
  bundleName?: string;
  abilityName?: string;
}

export declare namespace AbilityConstant {
  enum LaunchReason {
    UNKNOWN = 0,
    START_ABILITY = 1,
  }

  interface LaunchParam {
    launchReason: LaunchReason;
  }
}

export declare class UIAbility {
  onCreate(want: Want, launchParam: AbilityConstant.LaunchParam): void;
  onWindowStageCreate(windowStage: window.WindowStage): void;
  onWindowStageDestroy(): void;
  onForeground(): void;
  onBackground(): void;
  onDestroy(): void;
}
