// The board's texts, in Korean and English.

export const LANGUAGES = { ko: "한국어", en: "English" };

export const TEXTS = {
  board: ["주문 현황", "Board"],
  filter: ["테이블 찾기", "Find a table"],
  onlyBusy: ["사용 중만", "In use only"],
  soundOn: ["알림음 켜짐", "Sound on"],
  soundOff: ["알림음 켜기", "Switch sound on"],
  soundHint: ["알림음이 꺼져 있습니다. 한 번 눌러 켜 주세요.", "New orders are silent until you switch the sound on."],
  soldOutPanel: ["품절 관리", "Sold out"],
  admin: ["관리자", "Admin"],
  history: ["지난 내역", "History"],
  live: ["실시간", "Live"],
  stale: ["연결 끊김 {seconds}초 · 다시 연결하는 중", "No connection for {seconds} s · reconnecting"],
  signedOut: ["로그인이 끝났습니다. 다시 로그인해 주세요.", "You are signed out. Please sign in again."],
  signIn: ["로그인", "Sign in"],
  loading: ["불러오는 중…", "Loading…"],
  nothing: ["보여 줄 테이블이 없습니다.", "No table to show."],
  empty: ["비어 있음", "Free"],
  since: ["{minutes}분째", "{minutes} min"],
  justNow: ["방금", "just now"],
  ago: ["{minutes}분 전", "{minutes} min ago"],
  total: ["합계", "Total"],
  newOrder: ["새 주문", "New"],
  acknowledge: ["확인", "Seen"],
  waiting: ["{minutes}분째 확인 안 됨", "Unseen for {minutes} min"],
  showAll: ["지난 주문 {count}건 더 보기", "{count} earlier orders"],
  unsettled: ["미정산", "Unsettled"],
  settle: ["정산 완료", "Settle"],
  complete: ["테이블 완료", "Complete"],
  more: ["더 보기", "More"],
  close: ["닫기", "Close"],
  pending: ["접수", "Pending"],
  preparing: ["조리 중", "Preparing"],
  ready: ["준비 완료", "Ready"],
  served: ["서빙 완료", "Served"],
  completed: ["완료", "Completed"],
  cancelled: ["취소됨", "Cancelled"],
  toPreparing: ["조리 시작", "Start"],
  toReady: ["준비 완료", "Ready"],
  toServed: ["서빙 완료", "Served"],
  toCompleted: ["완료", "Done"],
  allLines: ["전체 {step}", "All: {step}"],
  undo: ["취소 ({seconds})", "Undo ({seconds})"],
  cancel: ["주문 취소", "Cancel…"],
  cancelTitle: ["주문 {number} 취소", "Cancel order {number}"],
  cancelHint: ["취소할 메뉴와 수량을 고르세요.", "Choose what to cancel, and how many."],
  reason: ["사유", "Reason"],
  reasonSoldOut: ["재료 소진", "Sold out"],
  reasonGuest: ["손님 요청", "Guest's wish"],
  reasonMistake: ["잘못된 주문", "Mistake"],
  ownerOnly: ["준비되었거나 서빙된 메뉴는 점주만 취소할 수 있습니다.", "Only an owner may cancel what is ready or served."],
  doCancel: ["취소하기", "Cancel it"],
  keep: ["그대로 두기", "Keep it"],
  completeTitle: ["테이블 {number} 완료", "Complete table {number}"],
  settleTitle: ["테이블 {number} 미정산 정산", "Settle table {number}"],
  completeHint: ["계산이 끝났나요? 주문은 지난 내역으로 옮겨집니다.", "Is the bill paid? Its orders move to the history."],
  unfinishedHint: ["아직 서빙되지 않은 메뉴가 있습니다:", "These have not been served yet:"],
  doComplete: ["완료", "Complete"],
  doForce: ["그래도 완료", "Complete anyway"],
  searchMenu: ["메뉴 검색", "Search the menu"],
  available: ["판매 중", "Available"],
  soldOut: ["품절", "Sold out"],
  noStock: ["재고 0", "None left"],
  help: ["직원 호출", "Help"],
  water: ["물", "Water"],
  cutlery: ["수저", "Cutlery"],
  bill: ["계산", "Bill"],
  someoneElse: ["다른 사람이 먼저 바꿨습니다. 지금 상태를 보여 드립니다.", "Somebody else was faster. This is how it is now."],
  notDone: ["처리하지 못했습니다: {detail}", "Not done: {detail}"],
  noNetwork: ["연결되지 않아 처리하지 못했습니다.", "No connection: it was not done."],
  table: ["테이블", "Table"],
  order: ["주문", "Order"],
  stores: ["매장", "Store"],
};

let language = "en";

export function speak(code) {
  language = code in LANGUAGES ? code : "en";
  document.documentElement.lang = language;
}

export const spoken = () => language;

export function t(name, values = {}) {
  return TEXTS[name][language === "ko" ? 0 : 1].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}
