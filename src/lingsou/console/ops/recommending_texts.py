"""Every word about recommendations: the page of a shopper, and rules on lists. In Chinese and English."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "nav_shoppers": ("顾客", "Shoppers"),
    "shopper_title": ("顾客画像", "A shopper's profile"),
    "shopper_lead": (
        "仅根据行为日志得出；日志中只保存标识的哈希值。每次查看都属于处理个人信息，请只在需要时使用。",
        "From the event log alone, which holds only hashes of ids. It is personal: look only where you need to.",
    ),
    "shopper_id": ("用户或会话的标识", "Id of a user or a session"),
    "shopper_id_hint": ("与行为事件中的 user_id 或 session_id 相同", "As user_id or session_id of the events"),
    "shopper_show": ("查看", "Show"),
    "shopper_unknown": (
        "没有关于“{name}”的记录：没有来过、已被删除，或者不同意个性化。",
        "Nothing is known of “{name}”: never here, erased, or without consent.",
    ),
    "shopper_events": ("近期行为", "Latest actions"),
    "shopper_events_more": ("点击、浏览、加购和购买", "clicks, pages, carts, purchases"),
    "shopper_prices": ("价格区间", "Price band"),
    "shopper_prices_more": ("中位数 {median}", "median {median}"),
    "shopper_will_buy": ("本次会购买", "Will buy in this session"),
    "shopper_will_leave": ("即将离开", "Is about to leave"),
    "shopper_no_session": (
        "没有进行中的会话，或推荐模型尚未训练",
        "no session is running, or no recommender was trained",
    ),
    "shopper_model": ("推荐模型 {version}", "recommender {version}"),
    "shopper_categories": ("分类", "Categories"),
    "shopper_brands": ("品牌", "Brands"),
    "shopper_sizes": ("尺码", "Sizes"),
    "shopper_share": ("占比", "Share"),
    "shopper_recent": ("最近看过的商品", "Latest products"),
    "shopper_none": ("还看不出来。", "Nothing can be told yet."),
    # rules
    "lists": ("用于哪些列表", "Where it holds"),
    "lists_hint": (
        "推荐列表没有查询词；只支持置顶、隐藏、筛选、加权和降权。",
        "Recommendations have no query, and know only pin, hide, filter, boost and bury.",
    ),
    "list_search": ("搜索结果", "search results"),
    "list_recommend": ("所有推荐", "all recommendations"),
    "list_for-you": ("为您推荐", "for you"),
    "list_session": ("本次浏览", "in the session"),
    "list_similar": ("相似商品", "similar products"),
    "list_bought-together": ("经常一起购买", "bought together"),
    "list_trending": ("近期热门", "trending"),
    "list_replenish": ("再次购买", "to buy again"),
    "when_lists": ("列表：{names}", "in: {names}"),
    "wrong_lists_queries": (
        "推荐没有查询词：请去掉查询条件，或只选搜索结果。",
        "Recommendations have no query: remove the queries, or choose search results alone.",
    ),
    "wrong_lists_actions": (
        "推荐列表不支持同义词、跳转和横幅：请去掉，或只选搜索结果。",
        "Recommendations have no synonyms, redirects and banners: remove them, or choose search results alone.",
    ),
}
