// Every text of the interface, in Korean and English. The menu itself is in the store's own language.

export const LANGUAGES = { ko: "한국어", en: "English" };

export const TEXTS = {
  // Set-up
  setupTitle: ["태블릿 설정", "Set up this tablet"],
  setupHint: ["직원이 한 번만 입력하면 됩니다. 이후에는 자동으로 켜집니다.", "Staff do this once. After that the tablet comes back by itself."],
  storeCode: ["매장 코드", "Store code"],
  tableNumber: ["테이블 번호", "Table number"],
  tablePassword: ["테이블 비밀번호", "Table password"],
  start: ["시작하기", "Start"],
  starting: ["연결하는 중…", "Connecting…"],
  cutOff: ["직원이 이 태블릿을 로그아웃했습니다. 다시 설정해 주세요.", "Staff signed this tablet out. Please set it up again."],
  orderWaits: ["아직 보내지 못한 주문이 있습니다. 같은 테이블로 다시 설정하면 전달됩니다.", "An order has not been sent yet. It goes out once the tablet is set up for the same table again."],
  wrongCredentials: ["매장, 테이블 번호 또는 비밀번호가 맞지 않습니다.", "Store, table number or password is not right."],
  tryLater: ["시도가 너무 많았습니다. {minutes}분 뒤에 다시 해 주세요.", "Too many attempts. Please try again in {minutes} min."],
  noConnection: ["연결되지 않습니다. Wi-Fi를 확인해 주세요.", "No connection. Please check the Wi-Fi."],
  // Frame
  table: ["테이블", "Table"],
  menu: ["메뉴", "Menu"],
  search: ["메뉴 검색", "Search the menu"],
  clearSearch: ["검색 지우기", "Clear the search"],
  menuEmpty: ["아직 메뉴가 없습니다.", "There is nothing on the menu yet."],
  nothingFound: ["“{query}”에 맞는 메뉴가 없습니다.", "Nothing on the menu matches “{query}”."],
  myOrders: ["주문 내역", "My orders"],
  loading: ["메뉴를 불러오는 중…", "Loading the menu…"],
  menuUnavailable: ["메뉴를 불러오지 못했습니다. 연결되면 자동으로 나타납니다.", "The menu can't be loaded. It appears by itself once the connection is back."],
  offline: ["연결이 끊겼습니다. 자동으로 다시 연결합니다.", "The connection is lost. It comes back by itself."],
  close: ["닫기", "Close"],
  language: ["언어", "Language"],
  // Items
  soldOut: ["품절", "Sold out"],
  portionsLeft: ["{count}개 남음", "{count} left"],
  inYourCart: ["장바구니에 {count}개", "{count} in your cart"],
  chooseOne: ["하나 선택", "Choose one"],
  chooseExactly: ["{min}개 선택", "Choose {min}"],
  chooseUpTo: ["최대 {max}개 선택", "Choose up to {max}"],
  chooseBetween: ["{min}~{max}개 선택", "Choose {min} to {max}"],
  required: ["필수", "Required"],
  chosen: ["{count}개 선택됨", "{count} chosen"],
  quantity: ["수량", "Quantity"],
  more: ["하나 더", "One more"],
  less: ["하나 덜", "One less"],
  note: ["요청 사항", "Note for the kitchen"],
  noteHint: ["예: 덜 맵게 해 주세요", "For example: less spicy, please"],
  addToCart: ["담기", "Add"],
  stillToChoose: ["골라 주세요: {name}", "Please choose: {name}"],
  // Cart
  cart: ["장바구니", "Cart"],
  cartEmpty: ["아직 담은 메뉴가 없습니다.", "Nothing in the cart yet."],
  cartHint: ["메뉴를 눌러 담아 주세요.", "Tap a dish to add it."],
  total: ["합계", "Total"],
  review: ["주문하기", "Review order"],
  remove: ["빼기", "Remove"],
  clear: ["모두 비우기", "Clear all"],
  clearQuestion: ["장바구니를 모두 비울까요?", "Remove everything from the cart?"],
  keep: ["그대로 두기", "Keep it"],
  goneFromMenu: ["더 이상 판매하지 않습니다", "No longer on the menu"],
  notNow: ["지금은 주문할 수 없습니다", "Can't be ordered now"],
  takeOut: ["주문할 수 없는 메뉴 빼기", "Take out what can't be ordered"],
  cartFull: ["장바구니가 가득 찼습니다. 지금 담은 메뉴부터 주문해 주세요.", "The cart is full. Please order what is in it first."],
  items: ["{count}개", "{count}"],
  // Submit
  reviewTitle: ["이대로 주문할까요?", "Send this order?"],
  reviewHint: ["주문을 누르면 바로 주방으로 전달됩니다.", "It goes to the kitchen as soon as you confirm."],
  confirm: ["주문 보내기", "Send to the kitchen"],
  change: ["더 담기", "Change it"],
  sending: ["주방으로 보내는 중…", "Sending to the kitchen…"],
  stillSending: ["연결이 불안정합니다. 주문은 그대로 보관되어 있고, 연결되면 한 번만 전달됩니다.", "The connection is weak. Your order is kept and will be sent once, as soon as it is back."],
  inTheKitchen: ["주문이 들어갔습니다", "In the kitchen"],
  orderNumber: ["주문 번호", "Order number"],
  backToMenuIn: ["{seconds}초 뒤 메뉴로 돌아갑니다", "Back to the menu in {seconds} s"],
  backToMenu: ["메뉴로", "Back to the menu"],
  notSent: ["주문이 전달되지 않았습니다", "Not sent"],
  changeOrder: ["주문 고치기", "Change the order"],
  soldOutReason: ["그사이 다 팔린 메뉴가 있습니다.", "Something has sold out in the meantime."],
  goOnWithout: ["빼고 주문하기", "Order without it"],
  priceReason: ["그사이 가격이 바뀌었습니다.", "A price has changed in the meantime."],
  newTotal: ["새 합계", "New total"],
  sendAtNewPrice: ["새 가격으로 주문하기", "Order at the new price"],
  sessionReason: ["그사이 이 테이블의 계산이 끝났습니다. 새로 주문하시겠어요?", "This table was settled in the meantime. Do you want to order anew?"],
  sendAsNew: ["네, 주문할게요", "Yes, order"],
  goneReason: ["메뉴가 바뀌었습니다. 주문을 다시 확인해 주세요.", "The menu has changed. Please look at your order again."],
  refusedReason: ["주문을 받을 수 없습니다. 직원을 불러 주세요.", "The order can't be taken. Please call staff."],
  oldReason: ["10분이 넘도록 연결되지 않았습니다. 지금도 이 주문을 보낼까요?", "There was no connection for more than 10 minutes. Do you still want this order?"],
  sendNow: ["네, 보내 주세요", "Yes, send it"],
  doNotSend: ["보내지 않기", "Don't send it"],
  mayHaveArrived: ["이 주문은 이미 주방에 전달되었을 수 있습니다. ‘주문 내역’을 보거나 직원에게 확인해 주세요.", "This order may already have reached the kitchen. Please look at “My orders” or ask staff."],
  // Orders and bill
  noOrders: ["아직 주문이 없습니다.", "No orders yet."],
  order: ["주문", "Order"],
  pending: ["접수됨", "Received"],
  preparing: ["준비 중", "Being prepared"],
  ready: ["곧 나옵니다", "Ready"],
  served: ["나왔습니다", "Served"],
  cancelled: ["취소됨", "Cancelled"],
  partlyCancelled: ["{count}개 취소됨", "{count} cancelled"],
  billTotal: ["지금까지 합계", "Total so far"],
  thanks: ["감사합니다!", "Thank you!"],
  thanksHint: ["계산이 끝났습니다. 또 찾아 주세요.", "Your bill is settled. See you again."],
  // Calls
  callStaff: ["직원 호출", "Call staff"],
  help: ["직원 호출", "Help"],
  water: ["물", "Water"],
  cutlery: ["수저", "Cutlery"],
  bill: ["계산", "Bill"],
  onTheWay: ["전달됨", "Called"],
  callWaiting: ["연결 대기", "Waiting"],
  callSent: ["{kind}: 직원에게 알렸습니다.", "{kind}: staff have been told."],
  callFailed: ["{kind}: 직원에게 알리지 못했습니다. 다시 눌러 주세요.", "{kind}: staff could not be told. Please tap again."],
  callQueued: ["{kind}: 연결되면 직원에게 알립니다.", "{kind}: staff will be told once the connection is back."],
  // Idle
  idleTitle: ["아직 주문하지 않은 메뉴가 있습니다", "Your cart has not been sent"],
  idleHint: ["지금 주문할까요?", "Do you want to order it now?"],
  later: ["나중에", "Not yet"],
  // How it looks
  look: ["화면 설정", "Display"],
  // Staff corner
  corner: ["직원용", "For staff"],
  largeType: ["큰 글씨", "Large type"],
  highContrast: ["고대비", "High contrast"],
  connection: ["연결 상태", "Connection"],
  live: ["실시간 연결됨", "Live"],
  polling: ["주기적으로 확인 중", "Checking every few seconds"],
  notConnected: ["연결 안 됨", "Not connected"],
  version: ["버전", "Version"],
  signOut: ["이 태블릿 로그아웃", "Sign this tablet out"],
  signOutQuestion: ["로그아웃하면 다시 설정할 때 테이블 비밀번호가 필요합니다.", "After this, setting it up again needs the table password."],
  on: ["켜짐", "On"],
  off: ["꺼짐", "Off"],
};

let language = "en";

export function speak(code) {
  language = code in LANGUAGES ? code : "en";
  document.documentElement.lang = language;
}

export const spoken = () => language;

export function t(name, values = {}) {
  const text = TEXTS[name][language === "ko" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}
